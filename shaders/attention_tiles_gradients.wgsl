// What the gradients of attention share. Appended to attention_tiles.wgsl, with TILES 2.

// Statistics of the queries of a tile: the largest score, the sum of the exponentials, and upstream · output.
var<workgroup> query_largest: array<f32, TILE>;
var<workgroup> query_total: array<f32, TILE>;
var<workgroup> query_delta: array<f32, TILE>;

fn load_statistics(batch: u32, first_query: u32, thread: u32) {
    workgroupBarrier();
    if (thread < TILE) {
        let row = batch * QUERIES + min(first_query + thread, QUERIES - 1u);
        query_largest[thread] = read_statistics(row, 0u);
        query_total[thread] = read_statistics(row, 1u);
        query_delta[thread] = read_delta(row, 0u);
    }
}

// Puts the weights after dropout, and the gradients of the products of q and k, into the tile. Its rows are the queries, or
// the keys if KEYS_ARE_ROWS.
fn set_derivatives(batch: u32, first_query: u32, first_key: u32, thread: u32, zero: u32) {
    let queries = Rows(Q, batch * QUERIES + first_query, (batch + 1u) * QUERIES);
    let keys = Rows(K, batch * KEYS + first_key, (batch + 1u) * KEYS);
    for (var i = zero; i < 2u; i++) {
        let own_queries = Rows(select(UPSTREAM, Q, i == 0u), queries.first, queries.end);
        let own_keys = Rows(select(V, K, i == 0u), keys.first, keys.end);
        let vec4s = select(VALUE_VEC4S, WIDTH_VEC4S, i == 0u);
        if (KEYS_ARE_ROWS) {
            set_products(i * GRADIENTS, own_keys, own_queries, vec4s, thread, zero);
        } else {
            set_products(i * GRADIENTS, own_queries, own_keys, vec4s, thread, zero);
        }
    }
    workgroupBarrier();
    for (var i = thread + zero; i < TILE * TILE; i += THREADS) {
        let at = i / TILE * TILE_PITCH + i % TILE;
        let query = select(i / TILE, i % TILE, KEYS_ARE_ROWS);
        let key = first_key + select(i % TILE, i / TILE, KEYS_ARE_ROWS);
        let score = score_of(batch, first_query + query, key, tile[at]);
        if (score == MASKED) {
            tile[at] = 0.0;
            tile[GRADIENTS + at] = 0.0;
        } else {
            let weight = exponential(score - query_largest[query]) / query_total[query];
            let kept = factor(batch, first_query + query, key);
            tile[at] = weight * kept;
            tile[GRADIENTS + at] = weight * (tile[GRADIENTS + at] * kept - query_delta[query]) * SCALE;
        }
    }
}
