// The gradient of the queries of attention in subgroups. Appended to attention_lanes_gradients.wgsl, with KEYS_ARE_ROWS false.

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    for (var batch = group.y; batch < BATCHES; batch += GROUPS) {
        query_gradients(batch, group.x * ROWS, lane, group.z);
    }
    finish_thread();
}

fn query_gradients(batch: u32, first_query: u32, lane: u32, zero: u32) {
    let key_end = end_of_keys(first_query + ROWS);
    var sums: Sums;
    for (var first_key = zero; first_key < key_end; first_key += LANES) {
        let found = derivatives(batch, first_query, first_key, lane, zero);
        let keys = Rows(K, batch * KEYS + first_key, (batch + 1u) * KEYS);
        add_products(&sums, found.gradients, keys, WIDTH_VEC4S, lane, zero);
    }
    let first_row = batch * QUERIES + first_query;
    store_sums(&sums, first_row, (batch + 1u) * QUERIES, Columns(WIDTH, 0u, WIDTH), lane, zero);
}
