// Attention: the softmax over the keys of q · k, times v. A row of the result has VALUES outputs, the largest score, and
// the sum of the exponentials. A workgroup computes TILE queries of a batch. Appended to attention_tiles.wgsl, with TILES 1.

// Threads that share a row of the tile, and its columns that each of them has.
const SHARERS = THREADS / TILE;
const SHARE = TILE / SHARERS;

var<workgroup> partial_values: array<f32, THREADS>;
var<workgroup> row_factors: array<f32, TILE>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    for (var batch = group.y; batch < BATCHES; batch += GROUPS) {
        attend(batch, group.x * TILE, thread, group.z);
    }
    finish_thread();
}

fn attend(batch: u32, first_query: u32, thread: u32, zero: u32) {
    let queries = Rows(Q, batch * QUERIES + first_query, (batch + 1u) * QUERIES);
    let key_end = end_of_keys(first_query + TILE);
    let row = thread / SHARERS;
    let first_column = thread % SHARERS * SHARE;
    var sums: Sums;
    var largest = MASKED;
    var total = 0.0;
    for (var first_key = zero; first_key < key_end; first_key += TILE) {
        let first_row = batch * KEYS + first_key;
        let end_row = (batch + 1u) * KEYS;
        set_products(0u, queries, Rows(K, first_row, end_row), WIDTH_VEC4S, thread, zero);
        workgroupBarrier();
        var own_largest = largest;
        for (var i = zero; i < SHARE; i++) {
            let column = first_column + i;
            let at = row * TILE_PITCH + column;
            let score = score_of(batch, first_query + row, first_key + column, tile[at]);
            tile[at] = score;
            own_largest = maximum(own_largest, score);
        }
        partial_values[thread] = own_largest;
        workgroupBarrier();
        let before = largest;
        for (var i = zero; i < SHARERS; i++) {
            largest = maximum(largest, partial_values[row * SHARERS + i]);
        }
        let row_factor = exponential(before - largest);
        row_factors[row] = row_factor;
        total *= row_factor;
        for (var i = zero; i < SHARE; i++) {
            let column = first_column + i;
            let at = row * TILE_PITCH + column;
            let weight = weight_of(tile[at], largest);
            total += weight;
            tile[at] = weight * factor(batch, first_query + row, first_key + column);
        }
        workgroupBarrier();
        for (var i = 0u; i < OWN; i++) {
            for (var part = 0u; part < PARTS; part++) {
                sums[i][part] *= row_factors[own_row(thread, i)];
            }
        }
        add_products(&sums, 0u, Rows(V, first_row, end_row), VALUE_VEC4S, STAGED_VALUES, thread, zero);
    }
    workgroupBarrier();
    partial_values[thread] = total;
    workgroupBarrier();
    for (var i = 0u; i < OWN; i++) {
        // A query without keys gets zeros.
        let own_total = total_of(own_row(thread, i));
        for (var part = 0u; part < PARTS; part++) {
            sums[i][part] /= select(own_total, 1.0, own_total == 0.0);
        }
    }
    let columns = Columns(VALUES + 2u, 0u, VALUES);
    store_sums(&sums, queries.first, queries.end, columns, thread, zero);
    let query = queries.first + row;
    if (query < queries.end && thread % SHARERS < 2u) {
        let column = VALUES + thread % SHARERS;
        finish(query * columns.width + column, query, column, select(total_of(row), largest, thread % SHARERS == 0u));
    }
    workgroupBarrier();
}

fn total_of(row: u32) -> f32 {
    var total = 0.0;
    for (var i = 0u; i < SHARERS; i++) {
        total += partial_values[row * SHARERS + i];
    }
    return total;
}
