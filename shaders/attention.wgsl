// What all kernels of attention share (FlashAttention-2, Dao 2023).
// Expects: BATCHES, QUERIES, KEYS, WIDTH, VALUES (sizes), GROUPS (workgroups along the batches), SCALE (the factor of scores),
// CAUSAL, PARTS (vec4s of a sum per row and thread), and the generated functions operand(which, row, column), four adjacent
// elements, with 0 after the last column, is_allowed(batch, query, key), the mask, and factor(batch, query, key), the dropout.

const MASKED = -1e30;

const WIDTH_VEC4S = (WIDTH + 3u) / 4u;
const VALUE_VEC4S = (VALUES + 3u) / 4u;

// Rows of an operand, of which there are none from `end` on.
struct Rows {
    which: u32,
    first: u32,
    end: u32,
}

// Columns of a result, whose rows have `width` elements.
struct Columns {
    width: u32,
    first: u32,
    count: u32,
}

// The scaled score of a query and a key, or MASKED if the query may not attend to it, or if one of them does not exist.
fn score_of(batch: u32, query: u32, key: u32, product: f32) -> f32 {
    if (query >= QUERIES || key >= KEYS || (CAUSAL && key > query) || !is_allowed(batch, query, key)) {
        return MASKED;
    }
    return product * SCALE;
}

// The exponential of a score relative to the largest of its query; 0 for a masked one.
fn weight_of(score: f32, largest: f32) -> f32 {
    return select(exponential(score - largest), 0.0, score == MASKED);
}

// The end of the keys to which the queries before `query_end` attend.
fn end_of_keys(query_end: u32) -> u32 {
    return select(KEYS, min(KEYS, query_end), CAUSAL);
}
