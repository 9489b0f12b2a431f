// Matrix product for adapters that keep arrays in memory: out[row, column] = sum over k of left(row, k) * right(k, column), with k in
// order and one accumulator per output, so that the bits are those of matmul.wgsl. A thread computes THREAD_ROWS rows of four
// adjacent columns in a variable for each row, which src/ops/matmul/webgpu-variables.ts writes where a line begins with $. There is no
// workgroup memory and no barrier. For each k, a thread reads THREAD_ROWS elements of the left operand and four of the right one, for
// 4 · THREAD_ROWS multiply-adds.
// On SwiftShader, an access to an array by a variable costs more than a multiply-add, and a barrier switches between threads, which
// it runs as fibers: 64×784 · 784×128 takes 8 to 11 ms of a core by variables, 31 to 35 by an array, and 176 with workgroup memory.
// Expects matmul_elements.wgsl, and: the constants of matmul.wgsl without those of its tiling; THREAD_ROWS, GROUP_THREADS, and RIGHT_VEC4
// (the right operand is read in vec4s along its columns).

fn read_columns(matrix: u32, k: u32, column: u32) -> vec4<f32> {
    if (RIGHT_VEC4) {
        return read_right_vec4(matrix + k, min(column, LAST_COLUMN - 4u));
    }
    return vec4(
        read_right_value(matrix, k, column),
        read_right_value(matrix, k, column + 1u),
        read_right_value(matrix, k, column + 2u),
        read_right_value(matrix, k, column + 3u),
    );
}

fn rounded(values: vec4<f32>) -> vec4<f32> {
    return vec4(
        f32(operand_of(values.x)),
        f32(operand_of(values.y)),
        f32(operand_of(values.z)),
        f32(operand_of(values.w)),
    );
}

fn stored_columns(first: u32, column: u32) -> vec4<f32> {
    let last = LAST_COLUMN - 1u;
    return vec4(
        stored(first + min(column, last)),
        stored(first + min(column + 1u, last)),
        stored(first + min(column + 2u, last)),
        stored(first + min(column + 3u, last)),
    );
}

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let batch = FIRST_BATCH + select(group.z, 0u, BATCHES == 1u);
    let left = left_matrix(batch) * select(ROWS, INNER, TRANSPOSE_LEFT);
    let right = right_matrix(batch) * select(INNER, COLUMNS, TRANSPOSE_RIGHT);
    let first_row = FIRST_ROW + group.y * THREAD_ROWS;
    let first_column = FIRST_COLUMN + (group.x * GROUP_THREADS + thread) * 4u;
    $declare
    var column_sums: vec4<f32>;
    for (var k = FIRST_INNER; k < LAST_INNER; k++) {
        let exact = read_columns(right, k, first_column);
        let operands = rounded(exact);
        if (COLUMN_SUMS) {
            column_sums += exact;
        }
        $add_products
    }
    let sums = array($names);
    for (var c = 0u; c < 4u; c++) {
        let column = first_column + c;
        if (column >= LAST_COLUMN) {
            continue;
        }
        for (var r = 0u; r < THREAD_ROWS; r++) {
            let row = first_row + r;
            if (row < LAST_ROW) {
                finish((batch * ROWS + row) * COLUMNS + column, batch * ROWS + row, column, sums[r][c]);
            }
        }
        if (COLUMN_SUMS && group.y == 0u) {
            finish_column_sum(batch * COLUMNS + column, batch, column, column_sums[c]);
        }
    }
    finish_thread();
}
