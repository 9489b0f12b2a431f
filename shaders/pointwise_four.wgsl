// A chain of pointwise nodes for the elements FIRST … LAST - 1, both multiples of four. Each thread computes every
// THREADS-th vec4 of elements. The results are the same as those of pointwise.wgsl.
// Expects: FIRST, LAST, THREADS.

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    for (var four = FIRST / 4u + id.x; four < LAST / 4u; four += THREADS) {
        finish_four(four);
    }
    finish_thread();
}
