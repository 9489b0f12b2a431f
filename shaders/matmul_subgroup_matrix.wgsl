// Matrix product by subgroup matrices, with float16 operands and float32 sums: out[row, column] = sum over k of left(row, k) *
// right(k, column), for rows FIRST_ROW … LAST_ROW - 1, columns FIRST_COLUMN … LAST_COLUMN - 1, and k from FIRST_INNER to
// LAST_INNER - 1. The hardware multiplies a matrix of MATRIX_ROWS × MATRIX_INNER by one of MATRIX_INNER × MATRIX_COLUMNS and adds
// in an order of its own, so the bits differ from those of the other kernels of products.
// A workgroup of GROUP_THREADS threads computes ROW_MATRICES × COLUMN_MATRICES matrices of outputs. For each MATRIX_INNER along k,
// its threads load a block of both operands into workgroup memory, with zeros outside of them. Every subgroup of it computes all sums,
// since a device may have smaller subgroups than GROUP_THREADS, its largest ones. The sums go through workgroup memory to `finish`.
// Batches, operands and bounds are those of matmul.wgsl.
// Expects float16_rounding.wgsl, operand_float16.wgsl and subgroup_matrix.wgsl, the constants of matmul.wgsl without those of its
// tiling, and the constants named here. ACCUMULATE adds to the stored value.

const TILE_ROWS = ROW_MATRICES * MATRIX_ROWS;
const TILE_COLUMNS = COLUMN_MATRICES * MATRIX_COLUMNS;

var<workgroup> left_block: array<Operand, TILE_ROWS * MATRIX_INNER>;
var<workgroup> right_block: array<Operand, MATRIX_INNER * TILE_COLUMNS>;
var<workgroup> results: array<f32, TILE_ROWS * TILE_COLUMNS>;

fn load_left_block(batch: u32, first_row: u32, first_inner: u32, thread: u32) {
    let matrix = left_matrix(batch) * select(ROWS, INNER, TRANSPOSE_LEFT);
    for (var i = thread; i < TILE_ROWS * MATRIX_INNER; i += GROUP_THREADS) {
        let row = first_row + i / MATRIX_INNER;
        let inner = first_inner + i % MATRIX_INNER;
        var value = 0.0;
        if (row < LAST_ROW && inner < LAST_INNER) {
            value = read_left(matrix + select(row, inner, TRANSPOSE_LEFT), select(inner, row, TRANSPOSE_LEFT));
        }
        left_block[i] = operand_of(value);
    }
}

fn load_right_block(batch: u32, first_inner: u32, first_column: u32, thread: u32) {
    let matrix = right_matrix(batch) * select(INNER, COLUMNS, TRANSPOSE_RIGHT);
    for (var i = thread; i < MATRIX_INNER * TILE_COLUMNS; i += GROUP_THREADS) {
        let inner = first_inner + i / TILE_COLUMNS;
        let column = first_column + i % TILE_COLUMNS;
        var value = 0.0;
        if (column < LAST_COLUMN && inner < LAST_INNER) {
            value = read_right(matrix + select(inner, column, TRANSPOSE_RIGHT), select(column, inner, TRANSPOSE_RIGHT));
        }
        right_block[i] = operand_of(value);
    }
}

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let batch = FIRST_BATCH + select(group.z, 0u, BATCHES == 1u);
    let first_row = FIRST_ROW + group.y * TILE_ROWS;
    let first_column = FIRST_COLUMN + group.x * TILE_COLUMNS;
    var sums: array<Sums, ROW_MATRICES * COLUMN_MATRICES>;
    for (var first_inner = FIRST_INNER; first_inner < LAST_INNER; first_inner += MATRIX_INNER) {
        load_left_block(batch, first_row, first_inner, thread);
        load_right_block(batch, first_inner, first_column, thread);
        workgroupBarrier();
        for (var r = 0u; r < ROW_MATRICES; r++) {
            let left = load_left(r * MATRIX_ROWS * MATRIX_INNER);
            for (var c = 0u; c < COLUMN_MATRICES; c++) {
                let i = r * COLUMN_MATRICES + c;
                sums[i] = multiply_add(left, load_right(c * MATRIX_COLUMNS), sums[i]);
            }
        }
        workgroupBarrier();
    }
    for (var r = 0u; r < ROW_MATRICES; r++) {
        for (var c = 0u; c < COLUMN_MATRICES; c++) {
            store_sums(r * MATRIX_ROWS * TILE_COLUMNS + c * MATRIX_COLUMNS, sums[r * COLUMN_MATRICES + c]);
        }
    }
    workgroupBarrier();
    for (var i = thread; i < TILE_ROWS * TILE_COLUMNS; i += GROUP_THREADS) {
        let row = first_row + i / TILE_COLUMNS;
        let column = first_column + i % TILE_COLUMNS;
        if (row < LAST_ROW && column < LAST_COLUMN) {
            let index = (batch * ROWS + row) * COLUMNS + column;
            var value = results[i];
            if (ACCUMULATE) {
                value += stored(index);
            }
            finish(index, batch * ROWS + row, column, value);
        }
    }
    finish_thread();
}
