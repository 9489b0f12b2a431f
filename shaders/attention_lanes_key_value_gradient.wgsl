// The gradients of the keys and values of attention in subgroups: a row of the result has WIDTH elements for the key, and VALUES
// for the value. Appended to attention_lanes_gradients.wgsl, with KEYS_ARE_ROWS true.

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    for (var batch = group.y; batch < BATCHES; batch += GROUPS) {
        key_value_gradients(batch, group.x * ROWS, lane, group.z);
    }
    finish_thread();
}

fn key_value_gradients(batch: u32, first_key: u32, lane: u32, zero: u32) {
    var key_sums: Sums;
    var value_sums: Sums;
    for (var first_query = select(zero, first_key, CAUSAL); first_query < QUERIES; first_query += LANES) {
        let found = derivatives(batch, first_query, first_key, lane, zero);
        let first_row = batch * QUERIES + first_query;
        let end_row = (batch + 1u) * QUERIES;
        add_products(&value_sums, found.weights, Rows(UPSTREAM, first_row, end_row), VALUE_VEC4S, lane, zero);
        add_products(&key_sums, found.gradients, Rows(Q, first_row, end_row), WIDTH_VEC4S, lane, zero);
    }
    let first_row = batch * KEYS + first_key;
    let end_row = (batch + 1u) * KEYS;
    store_sums(&key_sums, first_row, end_row, Columns(WIDTH + VALUES, 0u, WIDTH), lane, zero);
    store_sums(&value_sums, first_row, end_row, Columns(WIDTH + VALUES, WIDTH, VALUES), lane, zero);
}
