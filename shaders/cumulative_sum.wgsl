// Cumulative sums: y[o, k, i] is the sum over j ≤ k of x[o, j, i], in order. A thread processes one of LINES lines [o,
// :, i], and continues with the line THREADS further on.
// Expects: COUNT (elements of a line), INNER, LINES, THREADS (of the whole grid), GROUP_THREADS.

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(global_invocation_id) thread: vec3<u32>) {
    for (var line = thread.x; line < LINES; line += THREADS) {
        let first = line / INNER * COUNT * INNER + line % INNER;
        var total = 0.0;
        for (var k = 0u; k < COUNT; k++) {
            let index = first + k * INNER;
            total += read_x(index);
            finish(index, index / OUTPUT_COLUMNS, index % OUTPUT_COLUMNS, total);
        }
    }
    finish_thread();
}
