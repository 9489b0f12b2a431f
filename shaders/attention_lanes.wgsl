// What the kernels of attention in subgroups of eight share, for software adapters. There is no workgroup memory and no barrier,
// which cost more than the products there (see matmul_subgroup.wgsl). A workgroup is one subgroup, and processes eight rows, with
// eight columns at a time: for the gradients of keys and values, rows are keys and columns are queries; else the reverse. A lane
// has the scores of one column, and PARTS vec4s of the sums of each row. Two columns per lane were as fast on lavapipe, and took
// three times as long to compile. Appended to attention.wgsl.

const LANES = 8u;
const ROWS = 8u;

// The scores of one column: of rows 0 to 3, and 4 to 7.
alias Scores = array<vec4<f32>, 2>;
alias Sums = array<array<vec4<f32>, PARTS>, ROWS>;

// A row of an operand, or its last one.
fn inside(rows: Rows, row: u32) -> u32 {
    return min(rows.first + row, rows.end - 1u);
}

// The products of the rows of one operand with those of another; `vec4s` is the length of a row. `zero` is 0, but the compiler
// cannot know it, which keeps loops from being unrolled.
fn products(left: Rows, right: Rows, vec4s: u32, lane: u32, zero: u32) -> Scores {
    var scores: Scores;
    for (var column = zero; column < vec4s; column++) {
        let own = operand(left.which, inside(left, lane), 4u * column);
        let values = operand(right.which, inside(right, lane), 4u * column);
        // The lane of a broadcast must be a constant.
        add_product(&scores, 0u, subgroupBroadcast(own, 0u), values);
        add_product(&scores, 1u, subgroupBroadcast(own, 1u), values);
        add_product(&scores, 2u, subgroupBroadcast(own, 2u), values);
        add_product(&scores, 3u, subgroupBroadcast(own, 3u), values);
        add_product(&scores, 4u, subgroupBroadcast(own, 4u), values);
        add_product(&scores, 5u, subgroupBroadcast(own, 5u), values);
        add_product(&scores, 6u, subgroupBroadcast(own, 6u), values);
        add_product(&scores, 7u, subgroupBroadcast(own, 7u), values);
    }
    return scores;
}

fn add_product(scores: ptr<function, Scores>, row: u32, left: vec4<f32>, right: vec4<f32>) {
    var sum = (*scores)[row / 4u][row % 4u];
    for (var i = 0u; i < 4u; i++) {
        sum = fma(left[i], right[i], sum);
    }
    (*scores)[row / 4u][row % 4u] = sum;
}

// Adds the products of the factors of all columns with the rows of an operand.
fn add_products(sums: ptr<function, Sums>, factors: Scores, right: Rows, vec4s: u32, lane: u32, zero: u32) {
    for (var column = zero; column < LANES; column++) {
        let of_column = Scores(subgroupShuffle(factors[0], column), subgroupShuffle(factors[1], column));
        for (var part = 0u; part < PARTS; part++) {
            // Sums after the last vec4 are not used.
            let values = operand(right.which, inside(right, column), 4u * min(part * LANES + lane, vec4s - 1u));
            for (var r = 0u; r < ROWS; r++) {
                (*sums)[r][part] = fma(vec4(of_column[r / 4u][r % 4u]), values, (*sums)[r][part]);
            }
        }
    }
}

// Hands on the sums of the rows of the result from `first_row` on, up to `end_row`.
fn store_sums(sums: ptr<function, Sums>, first_row: u32, end_row: u32, columns: Columns, lane: u32, zero: u32) {
    for (var part = zero; part < PARTS; part++) {
        for (var i = zero; i < 4u; i++) {
            let column = 4u * (part * LANES + lane) + i;
            if (column < columns.count) {
                let at = columns.first + column;
                for (var r = zero; r < min(ROWS, end_row - first_row); r++) {
                    let row = first_row + r;
                    finish(row * columns.width + at, row, at, (*sums)[r][part][i]);
                }
            }
        }
    }
}
