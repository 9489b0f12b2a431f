// The candidates for the index of the largest member: all members of an output (shaders/members.wgsl).

// The position in its group of a candidate.
fn candidate(output: u32, number: u32) -> u32 {
    return first_member(output) + number;
}

fn candidate_value(output: u32, number: u32) -> f32 {
    return read_x(first_element(output) + number * STRIDE);
}
