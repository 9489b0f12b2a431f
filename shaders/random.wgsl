// Random numbers from integer arithmetic only, identical to src/random.ts.

// PCG-RXS-M-XS on 32 bits as a hash (Jarzynski and Olano 2020, listing `pcg`).
fn pcg_hash(value: u32) -> u32 {
    let state = value * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// 0 if the element's random integer is below the threshold, else `kept`.
fn dropout_mask(index: u32, key: u32, threshold: u32, kept: f32) -> f32 {
    return select(kept, 0.0, pcg_hash(key ^ pcg_hash(index)) < threshold);
}

// A multiple of 2^-24 in [0, 1).
fn random_uniform(index: u32, key: u32) -> f32 {
    return f32(pcg_hash(key ^ pcg_hash(index)) >> 8u) * 5.9604644775390625e-8;
}

// An integer below the count. The smallest ones are slightly more probable, unless the count divides 2^32.
fn random_below(index: u32, key: u32, count: u32) -> u32 {
    return pcg_hash(key ^ pcg_hash(index)) % count;
}
