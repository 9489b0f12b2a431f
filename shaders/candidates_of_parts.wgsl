// The candidates of the second stage: the indices that the parts found, which are followed by the members themselves.
// Expects: OUTPUTS, COUNT (parts of a group).

// The position in its group of a candidate.
fn candidate(output: u32, number: u32) -> u32 {
    return read_part(number * OUTPUTS + output);
}

fn candidate_value(output: u32, number: u32) -> f32 {
    return bitcast<f32>(read_part((COUNT + number) * OUTPUTS + output));
}
