// Sums by index: out[o, j, i] is the sum over all k with indices[k] = j of values[o, k, i], in the order of k. `order`
// holds the positions k sorted by their indices, so that the terms of an entry are contiguous. A thread finds the first
// of them by binary search.
// Expects: COUNT (indices), SIZE (entries), INNER, ELEMENTS (of the result), THREADS (of the whole grid),
// GROUP_THREADS.

fn first_of(entry: u32) -> u32 {
    var low = 0u;
    var high = COUNT;
    while (low < high) {
        let middle = (low + high) / 2u;
        if (read_indices(read_order(middle)) < entry) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(global_invocation_id) thread: vec3<u32>) {
    for (var element = thread.x; element < ELEMENTS; element += THREADS) {
        let inner = element % INNER;
        let entry = element / INNER % SIZE;
        let outer = element / INNER / SIZE;
        var total = 0.0;
        for (var at = first_of(entry); at < COUNT; at++) {
            let position = read_order(at);
            if (read_indices(position) != entry) {
                break;
            }
            total += read_values((outer * COUNT + position) * INNER + inner);
        }
        finish(element, element / INNER, inner, total);
    }
    finish_thread();
}
