// The gradients of the keys and values of attention: a row of the result has WIDTH elements for the key, and VALUES for the
// value. A workgroup computes TILE keys of a batch. Appended to attention_tiles_gradients.wgsl, with KEYS_ARE_ROWS true.

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    for (var batch = group.y; batch < BATCHES; batch += GROUPS) {
        key_value_gradients(batch, group.x * TILE, thread, group.z);
    }
    finish_thread();
}

fn key_value_gradients(batch: u32, first_key: u32, thread: u32, zero: u32) {
    var key_sums: Sums;
    var value_sums: Sums;
    for (var first_query = select(zero, first_key, CAUSAL); first_query < QUERIES; first_query += TILE) {
        load_statistics(batch, first_query, thread);
        set_derivatives(batch, first_query, first_key, thread, zero);
        let first_row = batch * QUERIES + first_query;
        let end_row = (batch + 1u) * QUERIES;
        add_products(&value_sums, 0u, Rows(UPSTREAM, first_row, end_row), VALUE_VEC4S, STAGED_VALUES, thread, zero);
        add_products(&key_sums, GRADIENTS, Rows(Q, first_row, end_row), WIDTH_VEC4S, STAGED_WIDTH, thread, zero);
    }
    let first_row = batch * KEYS + first_key;
    let end_row = (batch + 1u) * KEYS;
    store_sums(&key_sums, first_row, end_row, Columns(WIDTH + VALUES, 0u, WIDTH), thread, zero);
    store_sums(&value_sums, first_row, end_row, Columns(WIDTH + VALUES, WIDTH, VALUES), thread, zero);
}
