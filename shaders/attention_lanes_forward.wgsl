// Attention in subgroups: the softmax over the keys of q · k, times v. A row of the result has VALUES outputs, the largest score, and
// the sum of the exponentials. Appended to attention_lanes.wgsl.

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    for (var batch = group.y; batch < BATCHES; batch += GROUPS) {
        attend(batch, group.x * ROWS, lane, group.z);
    }
    finish_thread();
}

fn attend(batch: u32, first_query: u32, lane: u32, zero: u32) {
    let queries = Rows(Q, batch * QUERIES + first_query, (batch + 1u) * QUERIES);
    let key_end = end_of_keys(first_query + ROWS);
    var sums: Sums;
    // Of each row. A lane has the totals of its columns.
    var largest: array<f32, ROWS>;
    var totals: array<f32, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
        largest[r] = MASKED;
    }
    for (var first_key = zero; first_key < key_end; first_key += LANES) {
        let keys = Rows(K, batch * KEYS + first_key, (batch + 1u) * KEYS);
        let key = first_key + lane;
        var weights = products(queries, keys, WIDTH_VEC4S, lane, zero);
        for (var r = 0u; r < ROWS; r++) {
            let query = first_query + r;
            let score = score_of(batch, query, key, weights[r / 4u][r % 4u]);
            let before = largest[r];
            largest[r] = subgroupMax(maximum(before, score));
            let row_factor = exponential(before - largest[r]);
            let weight = weight_of(score, largest[r]);
            totals[r] = totals[r] * row_factor + weight;
            weights[r / 4u][r % 4u] = weight * factor(batch, query, key);
            for (var part = 0u; part < PARTS; part++) {
                sums[r][part] *= row_factor;
            }
        }
        add_products(&sums, weights, Rows(V, keys.first, keys.end), VALUE_VEC4S, lane, zero);
    }
    for (var r = 0u; r < ROWS; r++) {
        totals[r] = subgroupAdd(totals[r]);
        for (var part = 0u; part < PARTS; part++) {
            // A query without keys gets zeros.
            sums[r][part] /= select(totals[r], 1.0, totals[r] == 0.0);
        }
    }
    let columns = Columns(VALUES + 2u, 0u, VALUES);
    store_sums(&sums, queries.first, queries.end, columns, lane, zero);
    if (lane < 2u) {
        for (var r = zero; r < min(ROWS, queries.end - queries.first); r++) {
            let query = queries.first + r;
            let column = VALUES + lane;
            finish(query * columns.width + column, query, column, select(totals[r], largest[r], lane == 0u));
        }
    }
}
