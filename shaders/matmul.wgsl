// Matrix product: out[row, column] = sum over k of left(row, k) * right(k, column), rows FIRST_ROW … LAST_ROW - 1,
// columns FIRST_COLUMN … LAST_COLUMN - 1, k from FIRST_INNER to LAST_INNER - 1, in that order, into one accumulator
// per output: every tiling gives the same bits. Operands are of the type Operand; the product of two is added to a float32.
// A workgroup makes a tile of TILE_ROWS × TILE_COLUMNS outputs; it loads blocks of TILE_INNER along k of both
// operands into workgroup memory. A thread makes THREAD_ROWS × THREAD_COLUMNS outputs in registers; they leave through
// workgroup memory in strips, so that neighbouring threads write neighbouring outputs, and so that the text of
// `finish` is compiled once a strip and not once an output (on lavapipe 1 s instead of 9 s for 8×8 outputs a thread).
// Expects one of operand_….wgsl and the matmul_blocks_….wgsl of its name, and: ROWS, COLUMNS, INNER (sizes of the whole product), the six ends above, TRANSPOSE_LEFT, TRANSPOSE_RIGHT,
// TILE_INNER (at least GROUP_ROWS), THREAD_ROWS, THREAD_COLUMNS, GROUP_ROWS, GROUP_COLUMNS (threads along each side),
// ACCUMULATE (start from what is stored), COLUMN_SUMS (also finish_column_sum with the sum over k of right(k, column)).

const TILE_ROWS = GROUP_ROWS * THREAD_ROWS;
const TILE_COLUMNS = GROUP_COLUMNS * THREAD_COLUMNS;
const GROUP_THREADS = GROUP_ROWS * GROUP_COLUMNS;

// One row of each thread's outputs, the strip in which results pass through workgroup memory on their way out.
const STRIP = GROUP_ROWS * TILE_COLUMNS;

fn strip_row(i: u32, r: u32) -> u32 {
    return i / TILE_COLUMNS * THREAD_ROWS + r;
}

// Threads walk along whatever lies side by side in memory.
fn load_left_block(first_row: u32, first_inner: u32, thread: u32) {
    for (var i = thread; i < TILE_INNER * TILE_ROWS; i += GROUP_THREADS) {
        let r = select(i / TILE_INNER, i % TILE_ROWS, TRANSPOSE_LEFT);
        let k = select(i % TILE_INNER, i / TILE_ROWS, TRANSPOSE_LEFT);
        let row = first_row + r;
        let inner = first_inner + k;
        var value = 0.0;
        if (row < LAST_ROW && inner < LAST_INNER) {
            value = read_left(select(row * INNER + inner, inner * ROWS + row, TRANSPOSE_LEFT));
        }
        left_block[k * TILE_ROWS + r] = operand_of(value);
    }
}

fn load_right_block(first_inner: u32, first_column: u32, thread: u32) {
    for (var i = thread; i < TILE_INNER * TILE_COLUMNS; i += GROUP_THREADS) {
        let c = select(i % TILE_COLUMNS, i / TILE_INNER, TRANSPOSE_RIGHT);
        let k = select(i / TILE_COLUMNS, i % TILE_INNER, TRANSPOSE_RIGHT);
        let column = first_column + c;
        let inner = first_inner + k;
        var value = 0.0;
        if (column < LAST_COLUMN && inner < LAST_INNER) {
            value = read_right(select(inner * COLUMNS + column, column * INNER + inner, TRANSPOSE_RIGHT));
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
                set_strip(i, stored(row * COLUMNS + column));
            }
            workgroupBarrier();
            for (var c = 0u; c < THREAD_COLUMNS; c++) {
                sums[r][c] = strip_value(local.y * TILE_COLUMNS + own_column + c);
            }
        }
        workgroupBarrier();
    }
    // The grid is one deep, so group.z is 0; that the compiler cannot know it keeps it from unrolling these two loops,
    // which on lavapipe made compiling four times as long and running no faster.
    for (var first_inner = FIRST_INNER + group.z; first_inner < LAST_INNER; first_inner += TILE_INNER) {
        load_left_block(first_row, first_inner, thread);
        load_right_block(first_inner, first_column, thread);
        workgroupBarrier();
        for (var k = group.z; k < TILE_INNER; k++) {
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
                finish(row * COLUMNS + column, row, column, strip_value(i));
            }
        }
        workgroupBarrier();
    }
    if (COLUMN_SUMS && group.y == 0u && local.y == 0u) {
        for (var c = 0u; c < THREAD_COLUMNS; c++) {
            let column = first_column + own_column + c;
            if (column < LAST_COLUMN) {
                finish_column_sum(column, 0u, column, column_sums[c]);
            }
        }
    }
    finish_thread();
}
