// Matrix product with subgroups of four or eight: out[row, column] = sum over k of left(row, k) * right(k, column),
// with k in order and one accumulator per output, so that the bits are those of matmul.wgsl. A workgroup is one
// subgroup and computes THREAD_ROWS × LANES THREAD_COLUMNS outputs. For each k, a lane reads the left operand of every
// LANES-th row and broadcasts it to the others, and reads the right operand of every LANES-th column. There is no
// workgroup memory and no barrier: on lavapipe both cost more than the product.
// Expects: the constants of matmul.wgsl without its blocks, THREAD_ROWS a multiple of eight, LANES (4 or 8), and no
// GROUP_… or TILE_….

fn read_row(matrix: u32, row: u32, k: u32) -> f32 {
    let inside = min(row, LAST_ROW - 1u);
    return read_left(matrix + select(inside, k, TRANSPOSE_LEFT), select(k, inside, TRANSPOSE_LEFT));
}

fn read_column(matrix: u32, k: u32, column: u32) -> f32 {
    let inside = min(column, LAST_COLUMN - 1u);
    return read_right(matrix + select(k, inside, TRANSPOSE_RIGHT), select(inside, k, TRANSPOSE_RIGHT));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    let zero = group.z / BATCHES;
    let batch = FIRST_BATCH + select(group.z, 0u, BATCHES == 1u);
    let left = left_matrix(batch) * select(ROWS, INNER, TRANSPOSE_LEFT);
    let right = right_matrix(batch) * select(INNER, COLUMNS, TRANSPOSE_RIGHT);
    let first_row = FIRST_ROW + group.y * THREAD_ROWS;
    let first_column = FIRST_COLUMN + group.x * (LANES * THREAD_COLUMNS);
    var sums: array<array<f32, THREAD_COLUMNS>, THREAD_ROWS>;
    var column_sums: array<f32, THREAD_COLUMNS>;
    // group.z is below BATCHES, so `zero` is 0, but the compiler cannot know it, which keeps it from unrolling loops that
    // start there: compiling takes a tenth of the time, and the kernel is as fast.
    if (ACCUMULATE) {
        for (var r = zero; r < THREAD_ROWS; r++) {
            for (var c = zero; c < THREAD_COLUMNS; c++) {
                let row = min(first_row + r, LAST_ROW - 1u);
                let column = min(first_column + c * LANES + lane, LAST_COLUMN - 1u);
                sums[r][c] = stored((batch * ROWS + row) * COLUMNS + column);
            }
        }
    }
    for (var k = FIRST_INNER + zero; k < LAST_INNER; k++) {
        var right_values: array<f32, THREAD_COLUMNS>;
        for (var c = 0u; c < THREAD_COLUMNS; c++) {
            let exact = read_column(right, k, first_column + c * LANES + lane);
            right_values[c] = f32(operand_of(exact));
            if (COLUMN_SUMS) {
                column_sums[c] += exact;
            }
        }
        for (var first = 0u; first < THREAD_ROWS; first += LANES) {
            let own = f32(operand_of(read_row(left, first_row + first + lane, k)));
            let left_0 = subgroupBroadcast(own, 0u);
            let left_1 = subgroupBroadcast(own, 1u);
            let left_2 = subgroupBroadcast(own, 2u);
            let left_3 = subgroupBroadcast(own, 3u);
            for (var c = 0u; c < THREAD_COLUMNS; c++) {
                let right_value = right_values[c];
                sums[first][c] = fma(left_0, right_value, sums[first][c]);
                sums[first + 1u][c] = fma(left_1, right_value, sums[first + 1u][c]);
                sums[first + 2u][c] = fma(left_2, right_value, sums[first + 2u][c]);
                sums[first + 3u][c] = fma(left_3, right_value, sums[first + 3u][c]);
            }
            if (LANES == 8u) {
                // The lane of a broadcast must be a constant. In a subgroup of four these are never reached.
                let left_4 = subgroupBroadcast(own, 4u);
                let left_5 = subgroupBroadcast(own, 5u);
                let left_6 = subgroupBroadcast(own, 6u);
                let left_7 = subgroupBroadcast(own, 7u);
                for (var c = 0u; c < THREAD_COLUMNS; c++) {
                    let right_value = right_values[c];
                    sums[first + 4u][c] = fma(left_4, right_value, sums[first + 4u][c]);
                    sums[first + 5u][c] = fma(left_5, right_value, sums[first + 5u][c]);
                    sums[first + 6u][c] = fma(left_6, right_value, sums[first + 6u][c]);
                    sums[first + 7u][c] = fma(left_7, right_value, sums[first + 7u][c]);
                }
            }
        }
    }
    for (var c = zero; c < THREAD_COLUMNS; c++) {
        let column = first_column + c * LANES + lane;
        if (column >= LAST_COLUMN) {
            continue;
        }
        for (var r = zero; r < THREAD_ROWS; r++) {
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
