// The functions of src/ops/non-finite.

// The distance of an element from the end if it is NaN or infinite, otherwise 0. The first one has the largest.
fn distance_of_non_finite(x: f32, distance: u32) -> u32 {
    return select(0u, distance, is_non_finite(x));
}

fn replace_if(condition: u32, kept: f32, replacement: f32) -> f32 {
    return select(replacement, kept, condition == 0u);
}
