// Four bytes are stored in a word, the first in the lowest bits.

fn byte_of(word: u32, position: u32) -> u32 {
    return extractBits(word, position * 8u, 8u);
}
