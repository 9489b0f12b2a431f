// Softmax over rows of COUNT logits, and results computed from it. LANES threads compute one row (shaders/lanes.wgsl).
// The largest logit is subtracted first, so that no exponential overflows. The files of the required results are
// prepended, and the generated function write_row(row, lane, largest, total) calls each of them, where `total` is the
// sum of the exponentials. At the end, finish_reductions(thread, zero) computes sums over all results if one workgroup has all
// rows.
// Expects: the constants of lanes.wgsl (STRIDE = 1), OUTPUTS (rows), COUNT (classes), GROUPS.

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    // group.z is 0, but the compiler cannot know it, which keeps short loops from being unrolled and compilation short.
    let lane = lane_of(thread) + group.z;
    let slot = output_of(thread);
    for (var first = group.x * GROUP_OUTPUTS; first < OUTPUTS; first += GROUPS * GROUP_OUTPUTS) {
        // Threads beyond the last row repeat it, so that all threads reach the barriers.
        let row = min(first + slot, OUTPUTS - 1u);
        let start = row * COUNT;
        var largest = read_logits(start);
        for (var class_index = lane; class_index < COUNT; class_index += LANES) {
            largest = maximum(largest, read_logits(start + class_index));
        }
        largest = max_over_lanes(slot, lane, largest, group.z);
        var partial = 0.0;
        for (var class_index = lane; class_index < COUNT; class_index += LANES) {
            partial += exponential(read_logits(start + class_index) - largest);
        }
        let total = sum_over_lanes(slot, lane, partial, group.z);
        if (first + slot < OUTPUTS) {
            write_row(row, lane, largest, total);
        }
    }
    finish_reductions(thread, group.z);
    finish_thread();
}
