// What the gradients of attention in subgroups share. Appended to attention_lanes.wgsl.
// Expects: KEYS_ARE_ROWS (true for the gradients of keys and values).

// Of a query: the largest score, the sum of the exponentials, and upstream · output.
struct Statistics {
    largest: f32,
    total: f32,
    delta: f32,
}

fn statistics_of(batch: u32, query: u32) -> Statistics {
    let row = batch * QUERIES + min(query, QUERIES - 1u);
    return Statistics(read_statistics(row, 0u), read_statistics(row, 1u), read_delta(row, 0u));
}

// The weights after dropout, and the gradients of the products of q and k.
struct Derivatives {
    weights: Scores,
    gradients: Scores,
}

fn derivatives(batch: u32, first_query: u32, first_key: u32, lane: u32, zero: u32) -> Derivatives {
    let queries = Rows(Q, batch * QUERIES + first_query, (batch + 1u) * QUERIES);
    let keys = Rows(K, batch * KEYS + first_key, (batch + 1u) * KEYS);
    let upstreams = Rows(UPSTREAM, queries.first, queries.end);
    let values = Rows(V, keys.first, keys.end);
    var found: Derivatives;
    if (KEYS_ARE_ROWS) {
        found = Derivatives(products(keys, queries, WIDTH_VEC4S, lane, zero), products(values, upstreams, VALUE_VEC4S, lane, zero));
    } else {
        found = Derivatives(products(queries, keys, WIDTH_VEC4S, lane, zero), products(upstreams, values, VALUE_VEC4S, lane, zero));
    }
    for (var r = 0u; r < ROWS; r++) {
        let query = first_query + select(r, lane, KEYS_ARE_ROWS);
        let key = first_key + select(lane, r, KEYS_ARE_ROWS);
        let of_query = statistics_of(batch, query);
        let score = score_of(batch, query, key, found.weights[r / 4u][r % 4u]);
        let is_masked = score == MASKED;
        let weight = exponential(score - of_query.largest) / of_query.total;
        let kept = factor(batch, query, key);
        let gradient = weight * (found.gradients[r / 4u][r % 4u] * kept - of_query.delta) * SCALE;
        found.weights[r / 4u][r % 4u] = select(weight * kept, 0.0, is_masked);
        found.gradients[r / 4u][r % 4u] = select(gradient, 0.0, is_masked);
    }
    return found;
}
