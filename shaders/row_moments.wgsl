// The mean of each row of COUNT elements, and 1 / √(variance + EPSILON), in two passes. LANES threads compute one row
// (shaders/lanes.wgsl).
// Expects: the constants of lanes.wgsl (STRIDE = 1), OUTPUTS (rows), COUNT, GROUPS, EPSILON.

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    // group.z is 0, but the compiler cannot know it, which keeps short loops from being unrolled and compilation short.
    let lane = lane_of(thread) + group.z;
    let slot = output_of(thread);
    for (var first = group.x * GROUP_OUTPUTS; first < OUTPUTS; first += GROUPS * GROUP_OUTPUTS) {
        // Threads beyond the last row repeat it, so that all threads reach the barriers.
        let row = min(first + slot, OUTPUTS - 1u);
        var partial = 0.0;
        for (var column = lane; column < COUNT; column += LANES) {
            partial += read_x(row * COUNT + column);
        }
        let mean = sum_over_lanes(slot, lane, partial, group.z) / f32(COUNT);
        partial = 0.0;
        for (var column = lane; column < COUNT; column += LANES) {
            let distance = read_x(row * COUNT + column) - mean;
            partial += distance * distance;
        }
        let variance = sum_over_lanes(slot, lane, partial, group.z) / f32(COUNT);
        if (first + slot < OUTPUTS && is_first(lane)) {
            finish(2u * row, row, 0u, mean);
            finish(2u * row + 1u, row, 1u, 1.0 / sqrt(variance + EPSILON));
        }
    }
    finish_thread();
}
