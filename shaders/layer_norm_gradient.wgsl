// The gradient of x of layer normalization: scale · (g − mean(g) − y · mean(g · y)), where g is the upstream gradient times
// the weight, y = (x − mean) · scale, and means are over a row of COUNT elements. LANES threads compute one row
// (shaders/lanes.wgsl).
// Expects: the constants of lanes.wgsl (STRIDE = 1), OUTPUTS (rows), COUNT, GROUPS, and the function weight_of(column).

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    // group.z is 0, but the compiler cannot know it, which keeps short loops from being unrolled and compilation short.
    let lane = lane_of(thread) + group.z;
    let slot = output_of(thread);
    for (var first = group.x * GROUP_OUTPUTS; first < OUTPUTS; first += GROUPS * GROUP_OUTPUTS) {
        // Threads beyond the last row repeat it, so that all threads reach the barriers.
        let row = min(first + slot, OUTPUTS - 1u);
        let mean = read_moments(2u * row);
        let scale = read_moments(2u * row + 1u);
        var slope = 0.0;
        var correlation = 0.0;
        for (var column = lane; column < COUNT; column += LANES) {
            let g = read_upstream(row * COUNT + column) * weight_of(column);
            slope += g;
            correlation += g * (read_x(row * COUNT + column) - mean) * scale;
        }
        slope = sum_over_lanes(slot, lane, slope, group.z) / f32(COUNT);
        correlation = sum_over_lanes(slot, lane, correlation, group.z) / f32(COUNT);
        if (first + slot < OUTPUTS) {
            for (var column = lane; column < COUNT; column += LANES) {
                let index = row * COUNT + column;
                let g = read_upstream(index) * weight_of(column);
                let y = (read_x(index) - mean) * scale;
                finish(index, row, column, scale * (g - slope - y * correlation));
            }
        }
    }
    finish_thread();
}
