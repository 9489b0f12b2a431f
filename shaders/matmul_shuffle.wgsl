// Matrix product for GPUs with subgroups of 16, 32 or 64: out[row, column] = sum over k of left(row, k) *
// right(k, column), for the ranges, batches and parts of matmul_registers.wgsl. A part adds its values of k in order,
// with one accumulator per output, and the parts are added in order, so the bits are those of matmul_registers.wgsl.
// A workgroup computes a tile of TILE_ROWS × TILE_COLUMNS outputs. For each part it has PART_SUBGROUPS subgroups, one
// below the other, each for THREAD_ROWS × LANES THREAD_COLUMNS outputs. A lane computes THREAD_COLUMNS outputs of every
// row of its subgroup.
// For LANES values of k, lane l holds the left operand of the l-th one in each row, which it reads while the values
// before are multiplied. For each k, the lane that holds it shares it with the others (subgroupShuffle), and each lane
// reads the right operand of its columns, three values of k ahead. So the loop over k has no barrier and no workgroup
// memory. The subgroups of a part read the same columns, most of them from the cache.
// The cost on paper: for one k, a lane with 8×8 outputs executes 64 multiply-adds, 8 shuffles, 2 reads of vec4s, and
// about 10 instructions for addresses and the loop, 1.3 instructions per multiply-add. A unit of an H100 does 128
// multiply-adds, 32 lanes of a shuffle and 128 bytes of reads from its cache per clock. So a subgroup of 32 takes 16
// clocks for the multiply-adds beside 8 for shuffles and 8 for reads; with 8×4 outputs 8 beside 8 and 4; with 4×4
// outputs 4 beside 4 and 4. Reads of matmul_registers.wgsl take a quarter to a half of the clocks of its multiply-adds.
// So large products should be slower here. Small ones are limited by latency, and have no barriers to wait at.
// Accumulators and operands are single variables, since drivers keep arrays in memory if they do not unroll all loops
// over them: lines with $ stand for statements that src/ops/matmul/webgpu-shuffles.ts writes for each of them.
// Results are written through workgroup memory in strips of STRIP_ROWS rows of each subgroup, as in
// matmul_registers.wgsl.
// Expects one of operand_….wgsl, matmul_elements.wgsl, and: the sizes, bounds, transposes and COLUMN_SUMS of
// matmul.wgsl, LANES (threads of a subgroup), PARTS, PART_INNER (a multiple of 4 with several parts), THREAD_ROWS (a
// multiple of 4), THREAD_COLUMNS, WIDTH (the adjacent columns of a lane: 1, 2 or 4), PART_SUBGROUPS, STRIP_ROWS (a
// divisor of THREAD_ROWS).

const SUBGROUPS = PARTS * PART_SUBGROUPS;
const THREADS = SUBGROUPS * LANES;
const TILE_ROWS = PART_SUBGROUPS * THREAD_ROWS;
const TILE_COLUMNS = LANES * THREAD_COLUMNS;

// Outputs of a part in a strip.
const STRIP = PART_SUBGROUPS * STRIP_ROWS * TILE_COLUMNS;

// WIDTH adjacent columns: their type, `rounded` to operands, `read_columns` of the right operand, and a `partial_sum`
// of one of them in workgroup memory.
$columns

var<workgroup> sums: array<Columns, PARTS * STRIP / WIDTH>;

var<workgroup> numbers_given: atomic<u32>;

// A number below SUBGROUPS of its own for each subgroup. WebGPU does not say which threads of a workgroup are one, and
// not every browser has the built-in value subgroup_id.
fn subgroup_number() -> u32 {
    var number = 0u;
    if (SUBGROUPS > 1u) {
        if (subgroupElect()) {
            number = atomicAdd(&numbers_given, 1u);
        }
        number = subgroupBroadcastFirst(number);
    }
    return number;
}

// Reads outside the matrix are moved inside, as those of matmul_elements.wgsl.

// Four rows, where they are adjacent in memory.
fn read_left_rows(matrix: u32, row: u32, k: u32) -> vec4<f32> {
    return read_left_vec4(matrix + k, min(row, LAST_ROW - 4u));
}

// Four values of k in one column, where they are adjacent in memory.
fn read_right_inner(matrix: u32, k: u32, column: u32) -> vec4<f32> {
    return read_right_vec4(matrix + min(column, LAST_COLUMN - 1u), min(k, LAST_INNER - 4u));
}

// What an earlier launch stored for an output.
fn stored_output(batch: u32, row: u32, column: u32) -> f32 {
    return stored((batch * ROWS + min(row, LAST_ROW - 1u)) * COLUMNS + min(column, LAST_COLUMN - 1u));
}

// The last part may be shorter than the others, so the subgroups of a workgroup leave the loop over k at different
// times. The lanes of one do so together, which compilers without the language feature subgroup_uniformity cannot know.
@diagnostic(off, subgroup_uniformity)
@compute @workgroup_size(LANES, SUBGROUPS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    // group.z is below BATCHES, so `zero` is 0, but the compiler cannot know it, which keeps it from unrolling loops
    // that start there: their bodies are long enough.
    let zero = group.z / BATCHES;
    let batch = FIRST_BATCH + select(group.z, 0u, BATCHES == 1u);
    let left_start = left_matrix(batch) * select(ROWS, INNER, TRANSPOSE_LEFT);
    let right_start = right_matrix(batch) * select(INNER, COLUMNS, TRANSPOSE_RIGHT);
    let number = subgroup_number();
    let part = number / PART_SUBGROUPS;
    // The subgroup's place among those of its part, from the top.
    let band = number % PART_SUBGROUPS;
    let first_row = FIRST_ROW + group.y * TILE_ROWS;
    let first_column = FIRST_COLUMN + group.x * TILE_COLUMNS;
    let own_row = first_row + band * THREAD_ROWS;
    let own_column = first_column + lane * WIDTH;
    let sums_columns = COLUMN_SUMS && group.y == 0u && band == 0u;
    let first = FIRST_INNER + part * PART_INNER;
    let last = min(first + PART_INNER, LAST_INNER);
    $declare
    {
        let k = min(first + lane, LAST_INNER - 1u);
        $load_left
    }
    {
        let k = first;
        $load_right
    }
    for (var block = first + zero; block < last; block += LANES) {
        $take_left
        if (block + LANES < last) {
            let k = min(block + LANES + lane, LAST_INNER - 1u);
            $load_left
        }
        let count = min(last - block, LANES);
        var i = zero;
        for (; i + 4u <= count; i += 4u) {
            let k = block + i + 4u;
            $add_products
        }
        $add_last_products
    }
    for (var strip = zero; strip < THREAD_ROWS / STRIP_ROWS; strip++) {
        switch strip {
            $store_strips
        }
        workgroupBarrier();
        for (var i = thread; i < STRIP; i += THREADS) {
            var value = partial_sum(i);
            for (var other = 1u + zero; other < PARTS; other++) {
                value += partial_sum(other * STRIP + i);
            }
            let r = i / TILE_COLUMNS;
            let row = first_row + r / STRIP_ROWS * THREAD_ROWS + strip * STRIP_ROWS + r % STRIP_ROWS;
            let column = first_column + i % TILE_COLUMNS;
            if (row < LAST_ROW && column < LAST_COLUMN) {
                finish((batch * ROWS + row) * COLUMNS + column, batch * ROWS + row, column, value);
            }
        }
        workgroupBarrier();
    }
    if (COLUMN_SUMS) {
        if (band == 0u) {
            $store_column_sums
        }
        workgroupBarrier();
        for (var i = thread; i < TILE_COLUMNS; i += THREADS) {
            var value = partial_sum(i);
            for (var other = 1u + zero; other < PARTS; other++) {
                value += partial_sum(other * TILE_COLUMNS + i);
            }
            let column = first_column + i;
            if (group.y == 0u && column < LAST_COLUMN) {
                finish_column_sum(batch * COLUMNS + column, batch, column, value);
            }
        }
    }
    finish_thread();
}
