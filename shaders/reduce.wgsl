// Sum, mean or maximum: x[outer, COUNT, STRIDE] to y[outer, STRIDE] with OUTPUTS elements. LANES threads compute one
// output (shaders/lanes.wgsl) from its members (shaders/members.wgsl): each adds every LANES-th member, then the partial
// results are combined.
// Expects: the constants of lanes.wgsl and members.wgsl, GROUPS (workgroups along x), OPERATION, MEMBERS (the divisor of
// a mean).

const SUM = 0u;
const MEAN = 1u;
const MAX = 2u;

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    // group.z is 0, but the compiler cannot know it, which keeps short loops from being unrolled and compilation short.
    let lane = lane_of(thread) + group.z;
    let slot = output_of(thread);
    for (var first = group.x * GROUP_OUTPUTS; first < OUTPUTS; first += GROUPS * GROUP_OUTPUTS) {
        // Threads beyond the last output repeat it, so that all threads reach the barriers.
        let output = min(first + slot, OUTPUTS - 1u);
        let start = first_element(output);
        let count = member_count(output);
        var partial = select(0.0, read_x(start), OPERATION == MAX);
        for (var member = lane; member < count; member += LANES) {
            let value = read_x(start + member * STRIDE);
            if (OPERATION == MAX) {
                partial = maximum(partial, value);
            } else {
                partial += value;
            }
        }
        var result: f32;
        if (OPERATION == MAX) {
            result = max_over_lanes(slot, lane, partial, group.z);
        } else {
            result = sum_over_lanes(slot, lane, partial, group.z);
        }
        if (OPERATION == MEAN) {
            result /= f32(MEMBERS);
        }
        if (is_first(lane) && first + slot < OUTPUTS) {
            finish(output, output / OUTPUT_COLUMNS, output % OUTPUT_COLUMNS, result);
        }
    }
    finish_thread();
}
