// The members that one output of a reduction of x[outer, COUNT, STRIDE] combines: all COUNT of its group or, if groups
// are divided into PARTS parts, the LENGTH of one part (the last part has the rest). Outputs are numbered part by part.
// Expects: COUNT, STRIDE, OUTPUTS (groups · PARTS), PARTS, LENGTH.

// The position in its group of an output's first member.
fn first_member(output: u32) -> u32 {
    if (PARTS == 1u) {
        return 0u;
    }
    return output / (OUTPUTS / PARTS) * LENGTH;
}

fn member_count(output: u32) -> u32 {
    if (PARTS == 1u) {
        return COUNT;
    }
    return min(LENGTH, COUNT - first_member(output));
}

// The index in x of the first member. The next members follow at a distance of STRIDE.
fn first_element(output: u32) -> u32 {
    let group = output % (OUTPUTS / PARTS);
    return (group / STRIDE * COUNT + first_member(output)) * STRIDE + group % STRIDE;
}
