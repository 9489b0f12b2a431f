// Matrix product with few outputs, computed by one workgroup: out[row, column] = sum over k of left(row, k) * right(k, column). A
// thread computes four adjacent columns of a row at once, straight from memory: five reads for four multiply-adds. The values of k are
// divided into PARTS parts of PART_INNER; a part adds them in order, and the parts are added in order, so that the bits are those of the
// other kernels of products.
// There is one product for each of BATCHES batches; left_matrix and right_matrix give the matrix of each operand for a batch.
// Expects matmul_elements.wgsl, and: ROWS, COLUMNS, INNER, BATCHES, TRANSPOSE_LEFT, TRANSPOSE_RIGHT, PARTS, PART_INNER, GROUP_THREADS,
// COLUMN_SUMS (also call finish_column_sum with the sum over k of right(k, column)).

const ROW_VEC4S = (COLUMNS + 3u) / 4u;

fn read_columns(matrix: u32, k: u32, column: u32) -> vec4<f32> {
    return vec4(
        read_right_value(matrix, k, column),
        read_right_value(matrix, k, column + 1u),
        read_right_value(matrix, k, column + 2u),
        read_right_value(matrix, k, column + 3u),
    );
}

// The products of four columns with a row, and the sums of the columns.
struct Sums {
    products: vec4<f32>,
    columns: vec4<f32>,
}

// `zero` is 0, but the compiler must not know it: in unrolled sums of few products, Mesa moves a bias that is added to the sum into the
// multiply-adds, which changes the last bit.
// Variables in the loop have values, since on lavapipe a declaration without one keeps the value of the iteration before.
fn sums_of(batch: u32, row: u32, column: u32, zero: u32) -> Sums {
    let left = left_matrix(batch) * select(ROWS, INNER, TRANSPOSE_LEFT);
    let right = right_matrix(batch) * select(INNER, COLUMNS, TRANSPOSE_RIGHT);
    var total = Sums();
    for (var part = zero; part < PARTS; part++) {
        var sums = Sums();
        let last = min((part + 1u) * PART_INNER, INNER);
        for (var k = part * PART_INNER; k < last; k++) {
            let columns = read_columns(right, k, column);
            sums.products = fma(vec4(read_left_value(left, row, k)), columns, sums.products);
            if (COLUMN_SUMS) {
                sums.columns += columns;
            }
        }
        total.products = select(total.products + sums.products, sums.products, part == 0u);
        total.columns = select(total.columns + sums.columns, sums.columns, part == 0u);
    }
    return total;
}

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    for (var unit = thread; unit < BATCHES * ROWS * ROW_VEC4S; unit += GROUP_THREADS) {
        let row = unit / ROW_VEC4S;
        let batch = row / ROWS;
        let first = unit % ROW_VEC4S * 4u;
        let sums = sums_of(batch, row % ROWS, first, group.z);
        for (var c = 0u; c < min(4u, COLUMNS - first); c++) {
            let column = first + c;
            finish(row * COLUMNS + column, row, column, sums.products[c]);
            if (COLUMN_SUMS && row % ROWS == 0u) {
                finish_column_sum(batch * COLUMNS + column, batch, column, sums.columns[c]);
            }
        }
    }
    finish_thread();
}
