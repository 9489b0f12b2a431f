// A chain of pointwise nodes for the elements FIRST … LAST - 1. Each thread computes every THREADS-th element.
// Expects: FIRST, LAST, THREADS, OUTPUT_COLUMNS.

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    for (var index = FIRST + id.x; index < LAST; index += THREADS) {
        finish(index, index / OUTPUT_COLUMNS, index % OUTPUT_COLUMNS);
    }
    finish_thread();
}
