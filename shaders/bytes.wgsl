// Four bytes are stored in a word, the first in the lowest bits.

fn byte_of(word: u32, position: u32) -> u32 {
    return extractBits(word, position * 8u, 8u);
}

fn bytes_of(word: u32) -> vec4<u32> {
    return vec4(word & 0xffu, (word >> 8u) & 0xffu, (word >> 16u) & 0xffu, word >> 24u);
}
