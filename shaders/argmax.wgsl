// The index of the largest member, of the first among equals, or of the first NaN: x[outer, COUNT, STRIDE] to
// indices[outer, STRIDE]. LANES threads compute one output: each searches a run of adjacent members, so lanes are in
// the order of their members, and ties go to the lower lane.
// The member itself is a second result.
// Expects: candidate and candidate_value (shaders/candidates.wgsl or candidates_of_parts.wgsl), the constants of
// lanes.wgsl and members.wgsl, GROUPS (workgroups along x).

var<workgroup> lane_members: array<u32, GROUP_THREADS>;

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    // group.z is 0, but the compiler cannot know it, which keeps short loops from being unrolled and compilation short.
    let lane = lane_of(thread) + group.z;
    let slot = output_of(thread);
    for (var first = group.x * GROUP_OUTPUTS; first < OUTPUTS; first += GROUPS * GROUP_OUTPUTS) {
        let output = min(first + slot, OUTPUTS - 1u);
        let count = member_count(output);
        let run = (count + LANES - 1u) / LANES;
        // A lane beyond the last member repeats the last one. As the higher lane, it loses the tie.
        var place = min(lane * run, count - 1u);
        var largest = candidate_value(output, place);
        for (var number = place + 1u; number < min(lane * run + run, count); number++) {
            let value = candidate_value(output, number);
            if (exceeds(value, largest)) {
                largest = value;
                place = number;
            }
        }
        var best = candidate(output, place);
        if (LANES > 1u) {
            let own = lane_slot(slot, lane);
            lane_values[own] = largest;
            lane_members[own] = best;
            for (var half = LANES / 2u; half > 0u; half /= 2u) {
                workgroupBarrier();
                let other = lane_slot(slot, (lane + half) % LANES);
                // An equal value with a larger index: a tie.
                if (lane < half && (exceeds(lane_values[other], lane_values[own]) ||
                    (!exceeds(lane_values[own], lane_values[other]) && lane_members[other] < lane_members[own]))) {
                    lane_values[own] = lane_values[other];
                    lane_members[own] = lane_members[other];
                }
            }
            workgroupBarrier();
            largest = lane_values[own];
            best = lane_members[own];
            workgroupBarrier();
        }
        if (is_first(lane) && first + slot < OUTPUTS) {
            finish(output, output / OUTPUT_COLUMNS, output % OUTPUT_COLUMNS, best);
            finish_largest(output, output / OUTPUT_COLUMNS, output % OUTPUT_COLUMNS, largest);
        }
    }
    finish_thread();
}
