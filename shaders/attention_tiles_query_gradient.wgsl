// The gradient of the queries of attention. A workgroup computes TILE queries of a batch. Appended to
// attention_tiles_gradients.wgsl, with KEYS_ARE_ROWS false.

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    for (var batch = group.y; batch < BATCHES; batch += GROUPS) {
        query_gradients(batch, group.x * TILE, thread, group.z);
    }
    finish_thread();
}

fn query_gradients(batch: u32, first_query: u32, thread: u32, zero: u32) {
    let key_end = end_of_keys(first_query + TILE);
    var sums: Sums;
    load_statistics(batch, first_query, thread);
    for (var first_key = zero; first_key < key_end; first_key += TILE) {
        set_derivatives(batch, first_query, first_key, thread, zero);
        let keys = Rows(K, batch * KEYS + first_key, (batch + 1u) * KEYS);
        add_products(&sums, GRADIENTS, keys, WIDTH_VEC4S, STAGED_WIDTH, thread, zero);
    }
    let first_row = batch * QUERIES + first_query;
    store_sums(&sums, first_row, (batch + 1u) * QUERIES, Columns(WIDTH, 0u, WIDTH), thread, zero);
}
