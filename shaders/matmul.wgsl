// Matrix product: out[row, column] = sum over k of left(row, k) * right(k, column), for rows FIRST_ROW … LAST_ROW - 1,
// columns FIRST_COLUMN … LAST_COLUMN - 1, and k from FIRST_INNER to LAST_INNER - 1 in this order, with one accumulator
// per output, so every tiling gives the same bits. Operands have the type Operand; products are added to a float32. A
// workgroup computes a tile of TILE_ROWS × TILE_COLUMNS outputs and loads blocks of TILE_INNER along k of both operands
// into workgroup memory. A thread computes THREAD_ROWS × THREAD_COLUMNS outputs in registers. They are written through
// workgroup memory in strips, so that adjacent threads write adjacent outputs, and so that `finish` is compiled once
// per strip instead of once per output (on lavapipe 1 s instead of 9 s for 8×8 outputs per thread).
// There is one product for each batch from FIRST_BATCH on, BATCHES of them along the depth of the grid; left_matrix and
// right_matrix give the matrix of each operand for a batch. Operands are read by stored row and column.
// Expects one of operand_….wgsl and the matching matmul_blocks_….wgsl, and: ROWS, COLUMNS, INNER (sizes of the whole
// product), the six bounds above, TRANSPOSE_LEFT, TRANSPOSE_RIGHT, TILE_INNER (at least GROUP_ROWS), THREAD_ROWS,
// THREAD_COLUMNS, GROUP_ROWS, GROUP_COLUMNS (threads along each side), ACCUMULATE (start from the stored value),
// COLUMN_SUMS (also call finish_column_sum with the sum over k of right(k, column)).

const TILE_ROWS = GROUP_ROWS * THREAD_ROWS;
const TILE_COLUMNS = GROUP_COLUMNS * THREAD_COLUMNS;
const GROUP_THREADS = GROUP_ROWS * GROUP_COLUMNS;

// One row of each thread's outputs: the strip in which results are written through workgroup memory.
const STRIP = GROUP_ROWS * TILE_COLUMNS;

fn strip_row(i: u32, r: u32) -> u32 {
    return i / TILE_COLUMNS * THREAD_ROWS + r;
}

// Threads iterate along the axis that is contiguous in memory.
fn load_left_block(batch: u32, first_row: u32, first_inner: u32, thread: u32) {
    let matrix = left_matrix(batch) * select(ROWS, INNER, TRANSPOSE_LEFT);
    for (var i = thread; i < TILE_INNER * TILE_ROWS; i += GROUP_THREADS) {
        let r = select(i / TILE_INNER, i % TILE_ROWS, TRANSPOSE_LEFT);
        let k = select(i % TILE_INNER, i / TILE_ROWS, TRANSPOSE_LEFT);
        let row = first_row + r;
        let inner = first_inner + k;
        var value = 0.0;
        if (row < LAST_ROW && inner < LAST_INNER) {
            value = read_left(matrix + select(row, inner, TRANSPOSE_LEFT), select(inner, row, TRANSPOSE_LEFT));
        }
        left_block[k * TILE_ROWS + r] = operand_of(value);
    }
}

fn load_right_block(batch: u32, first_inner: u32, first_column: u32, thread: u32) {
    let matrix = right_matrix(batch) * select(INNER, COLUMNS, TRANSPOSE_RIGHT);
    for (var i = thread; i < TILE_INNER * TILE_COLUMNS; i += GROUP_THREADS) {
        let c = select(i % TILE_COLUMNS, i / TILE_INNER, TRANSPOSE_RIGHT);
        let k = select(i / TILE_COLUMNS, i % TILE_INNER, TRANSPOSE_RIGHT);
        let column = first_column + c;
        let inner = first_inner + k;
        var value = 0.0;
        if (column < LAST_COLUMN && inner < LAST_INNER) {
            value = read_right(matrix + select(inner, column, TRANSPOSE_RIGHT), select(column, inner, TRANSPOSE_RIGHT));
        }
        store_right(k * TILE_COLUMNS + c, value);
    }
}

@compute @workgroup_size(GROUP_COLUMNS, GROUP_ROWS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let zero = group.z / BATCHES;
    let batch = FIRST_BATCH + select(group.z, 0u, BATCHES == 1u);
    let first_row = FIRST_ROW + group.y * TILE_ROWS;
    let first_column = FIRST_COLUMN + group.x * TILE_COLUMNS;
    let own_row = local.y * THREAD_ROWS;
    let own_column = local.x * THREAD_COLUMNS;
    var sums: array<array<f32, THREAD_COLUMNS>, THREAD_ROWS>;
    var column_sums: array<f32, THREAD_COLUMNS>;
    if (ACCUMULATE) {
        for (var r = 0u; r < THREAD_ROWS; r++) {
            workgroupBarrier();
            for (var i = thread; i < STRIP; i += GROUP_THREADS) {
                let row = min(first_row + strip_row(i, r), LAST_ROW - 1u);
                let column = min(first_column + i % TILE_COLUMNS, LAST_COLUMN - 1u);
                set_strip(i, stored((batch * ROWS + row) * COLUMNS + column));
            }
            workgroupBarrier();
            for (var c = 0u; c < THREAD_COLUMNS; c++) {
                sums[r][c] = strip_value(local.y * TILE_COLUMNS + own_column + c);
            }
        }
        workgroupBarrier();
    }
    // group.z is below BATCHES, so `zero` is 0, but the compiler cannot know it, which keeps it from unrolling these two
    // loops. On lavapipe, unrolling made compiling take four times as long and did not speed up the kernel.
    for (var first_inner = FIRST_INNER + zero; first_inner < LAST_INNER; first_inner += TILE_INNER) {
        load_left_block(batch, first_row, first_inner, thread);
        load_right_block(batch, first_inner, first_column, thread);
        workgroupBarrier();
        for (var k = zero; k < TILE_INNER; k++) {
            var left_values: array<f32, THREAD_ROWS>;
            var right_values: array<f32, THREAD_COLUMNS>;
            for (var r = 0u; r < THREAD_ROWS; r++) {
                left_values[r] = f32(left_block[k * TILE_ROWS + own_row + r]);
            }
            for (var c = 0u; c < THREAD_COLUMNS; c++) {
                let i = k * TILE_COLUMNS + own_column + c;
                right_values[c] = f32(right_block[i]);
                if (COLUMN_SUMS) {
                    column_sums[c] += exact_right(i, right_values[c]);
                }
            }
            for (var r = 0u; r < THREAD_ROWS; r++) {
                for (var c = 0u; c < THREAD_COLUMNS; c++) {
                    sums[r][c] = fma(left_values[r], right_values[c], sums[r][c]);
                }
            }
        }
        workgroupBarrier();
    }
    for (var r = 0u; r < THREAD_ROWS; r++) {
        for (var c = 0u; c < THREAD_COLUMNS; c++) {
            set_strip(local.y * TILE_COLUMNS + own_column + c, sums[r][c]);
        }
        workgroupBarrier();
        for (var i = thread; i < STRIP; i += GROUP_THREADS) {
            let row = first_row + strip_row(i, r);
            let column = first_column + i % TILE_COLUMNS;
            if (row < LAST_ROW && column < LAST_COLUMN) {
                finish((batch * ROWS + row) * COLUMNS + column, batch * ROWS + row, column, strip_value(i));
            }
        }
        workgroupBarrier();
    }
    if (COLUMN_SUMS && group.y == 0u && local.y == 0u) {
        for (var c = 0u; c < THREAD_COLUMNS; c++) {
            let column = first_column + own_column + c;
            if (column < LAST_COLUMN) {
                finish_column_sum(batch * COLUMNS + column, batch, column, column_sums[c]);
            }
        }
    }
    finish_thread();
}
