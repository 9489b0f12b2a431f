// Sums of PARTS parts of SIZE elements each, in order: y[i] is the sum over p of x[p, i]. They are followed by the sums
// of another tensor, with parts of OTHER_SIZE elements. A thread computes one element and continues with the one
// THREADS further on. It reads four parts before it adds them: a GPU waits for memory once instead of four times.
// Expects: PARTS, SIZE, OTHER_SIZE (may be 0), OTHER_COLUMNS (of the other's result), THREADS (of the whole grid),
// GROUP_THREADS.

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(global_invocation_id) thread: vec3<u32>) {
    // thread.z is 0, but the compiler cannot know it, which keeps it from unrolling the loops over parts.
    for (var element = thread.x; element < SIZE + OTHER_SIZE; element += THREADS) {
        var total = 0.0;
        var part = thread.z;
        if (element < SIZE) {
            for (; part + 4u <= PARTS; part += 4u) {
                let at = part * SIZE + element;
                let values = vec4(read_x(at), read_x(at + SIZE), read_x(at + 2u * SIZE), read_x(at + 3u * SIZE));
                total = total + values.x + values.y + values.z + values.w;
            }
            for (; part < PARTS; part++) {
                total += read_x(part * SIZE + element);
            }
            finish(element, element / OUTPUT_COLUMNS, element % OUTPUT_COLUMNS, total);
        } else {
            let own = element - SIZE;
            for (; part + 4u <= PARTS; part += 4u) {
                let at = part * OTHER_SIZE + own;
                let values = vec4(
                    read_other(at),
                    read_other(at + OTHER_SIZE),
                    read_other(at + 2u * OTHER_SIZE),
                    read_other(at + 3u * OTHER_SIZE),
                );
                total = total + values.x + values.y + values.z + values.w;
            }
            for (; part < PARTS; part++) {
                total += read_other(part * OTHER_SIZE + own);
            }
            finish_other(own, own / OTHER_COLUMNS, own % OTHER_COLUMNS, total);
        }
    }
    finish_thread();
}
