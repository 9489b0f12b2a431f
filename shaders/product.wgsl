// Product: x[outer, COUNT, STRIDE] to y[outer, STRIDE], OUTPUTS elements in all. LANES threads (shaders/lanes.wgsl)
// share one output: each multiplies every LANES-th member, and the first thread multiplies the partial products in
// order.
// Expects: the constants of lanes.wgsl and members.wgsl, GROUPS (workgroups along x).

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    // group.z is 0. Since the compiler cannot know that, it does not unroll short loops, which would cost compile time.
    let lane = lane_of(thread) + group.z;
    let slot = output_of(thread);
    for (var first = group.x * GROUP_OUTPUTS; first < OUTPUTS; first += GROUPS * GROUP_OUTPUTS) {
        // Threads past the last output repeat it, so that all of them reach the barriers.
        let output = min(first + slot, OUTPUTS - 1u);
        let start = first_element(output);
        let count = member_count(output);
        var partial = 1.0;
        for (var member = lane; member < count; member += LANES) {
            partial *= read_x(start + member * STRIDE);
        }
        var result = partial;
        if (LANES > 1u) {
            lane_values[lane_slot(slot, lane)] = partial;
            workgroupBarrier();
            result = 1.0;
            for (var other = group.z; other < LANES; other++) {
                result *= lane_values[lane_slot(slot, other)];
            }
            workgroupBarrier();
        }
        if (is_first(lane) && first + slot < OUTPUTS) {
            finish(output, output / OUTPUT_COLUMNS, output % OUTPUT_COLUMNS, result);
        }
    }
    finish_thread();
}
