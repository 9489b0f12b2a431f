// Matrix product for GPUs: out[row, column] = sum over k of left(row, k) * right(k, column), for rows FIRST_ROW …
// LAST_ROW - 1, columns FIRST_COLUMN … LAST_COLUMN - 1, and k from FIRST_INNER to LAST_INNER - 1. The values of k are
// divided into PARTS parts of PART_INNER. A part adds them in order, with one accumulator per output, and the parts are
// added in order, so every tiling gives the same bits.
// A workgroup computes a tile of TILE_ROWS × TILE_COLUMNS outputs. For each part it has GROUP_ROWS × GROUP_COLUMNS
// threads, which compute THREAD_ROWS × THREAD_COLUMNS outputs each.
// In a step, the threads of a part load TILE_INNER values of k of both operands in vec4s, along the axis that is
// contiguous in memory: first into registers, and into workgroup memory after they have multiplied the values of the
// step before, so that they seldom wait for memory. For four values of k, a thread reads THREAD_ROWS + THREAD_COLUMNS
// vec4s from there, for 4 · THREAD_ROWS · THREAD_COLUMNS multiply-adds. Dawn must see that the indices of these reads are
// in range, or it adds a check to each: 4096³ then takes 9 % longer on an H100. It looks at remainders, minima and the
// sizes of workgroups, not into functions.
// Accumulators and operands are single variables, since drivers keep arrays in memory if they do not unroll all loops
// over them: lines with $ stand for statements that src/ops/matmul/webgpu-registers.ts writes for each of them.
// Results are written through workgroup memory in strips of STRIP_ROWS rows of each thread. There the parts are added,
// by all threads, and adjacent threads write adjacent outputs.
// There is one product for each batch from FIRST_BATCH on, BATCHES of them along the depth of the grid.
// Expects one of operand_….wgsl, and: the sizes, bounds, transposes, ACCUMULATE and COLUMN_SUMS of matmul.wgsl,
// LEFT_VEC4 and RIGHT_VEC4 (whether rows in memory have a multiple of four elements), EXACT_SUMS (sum the columns of
// the right operand as it was before it was rounded to float16), PARTS, PART_INNER (a multiple of 4 with several parts),
// WHOLE_STEPS (whether each part is a multiple of TILE_INNER),
// TILE_INNER (8, 16 or 32), THREAD_ROWS and THREAD_COLUMNS (multiples of 4), GROUP_ROWS, GROUP_COLUMNS, BUFFERS (2 needs
// twice the workgroup memory and half the barriers), STRIP_ROWS (a divisor of THREAD_ROWS), BLOCK_PADDING (vec4s after
// the blocks of a part, so that adjacent parts begin in different banks).

const PART_THREADS = GROUP_ROWS * GROUP_COLUMNS;
const THREADS = PARTS * PART_THREADS;
const TILE_ROWS = GROUP_ROWS * THREAD_ROWS;
const TILE_COLUMNS = GROUP_COLUMNS * THREAD_COLUMNS;
const STEPS = (PART_INNER + TILE_INNER - 1u) / TILE_INNER;

// Sizes in vec4s: along k, and of what one part has in workgroup memory.
const INNER_VEC4S = TILE_INNER / 4u;
const COLUMN_VEC4S = THREAD_COLUMNS / 4u;
const LEFT_BLOCK = TILE_ROWS * INNER_VEC4S;
const RIGHT_BLOCK = TILE_COLUMNS * INNER_VEC4S;
const BLOCKS = LEFT_BLOCK + RIGHT_BLOCK + select(0u, RIGHT_BLOCK, EXACT_SUMS) + BLOCK_PADDING;
const STRIP = STRIP_ROWS * COLUMN_VEC4S * PART_THREADS;

var<workgroup> blocks: array<vec4<f32>, max(BUFFERS * PARTS * BLOCKS, PARTS * STRIP)>;

// Where a block that is contiguous along k has four values of k of a row or column. Exclusive-or with the thread that
// multiplies it puts the vec4s that eight adjacent threads read for one k into different banks.
fn slot_along_inner(line: u32, threads: u32, inner_vec4: u32) -> u32 {
    return line * INNER_VEC4S + (inner_vec4 ^ (line % threads * INNER_VEC4S / 8u % INNER_VEC4S));
}

fn left_slot(unit: u32) -> u32 {
    if (TRANSPOSE_LEFT) {
        return unit;
    }
    return slot_along_inner(unit / INNER_VEC4S, GROUP_ROWS, unit % INNER_VEC4S);
}

fn right_slot(unit: u32) -> u32 {
    if (TRANSPOSE_RIGHT) {
        return slot_along_inner(unit / INNER_VEC4S, GROUP_COLUMNS, unit % INNER_VEC4S);
    }
    return unit;
}

// The row and column of the tile for one of a thread's rows or columns: four adjacent ones, or every GROUP_…th.
fn tile_row(thread_row: u32, r: u32) -> u32 {
    return select(r * GROUP_ROWS + thread_row, (r / 4u * GROUP_ROWS + thread_row) * 4u + r % 4u, TRANSPOSE_LEFT);
}

fn tile_column(thread_column: u32, c: u32) -> u32 {
    return select(
        (c / 4u * GROUP_COLUMNS + thread_column) * 4u + c % 4u,
        c * GROUP_COLUMNS + thread_column,
        TRANSPOSE_RIGHT,
    );
}

// A value, or 0 if k is not below the end of the part. No step reaches it if all parts are whole steps, which saves 7 to
// 19 % of the time of 4096³ on an H100.
fn below(value: vec4<f32>, is_below: bool) -> vec4<f32> {
    if (WHOLE_STEPS) {
        return value;
    }
    return select(vec4<f32>(), value, is_below);
}

// The same for a value of k itself, which then needs no limit.
fn inside(k: u32, most: u32) -> u32 {
    if (WHOLE_STEPS) {
        return k;
    }
    return min(k, most);
}

// A vec4 of a part's block of the left operand: four values of k of a row, or of four rows. Values of k from `last` on
// give 0. Reads outside the matrix are moved inside instead of skipped, so that they need no branch.
fn load_left(matrix: u32, first_row: u32, first_inner: u32, last: u32, unit: u32) -> vec4<f32> {
    if (TRANSPOSE_LEFT) {
        let row = first_row + unit % (TILE_ROWS / 4u) * 4u;
        let k = first_inner + unit / (TILE_ROWS / 4u);
        return below(left_rows(matrix + inside(k, LAST_INNER - 1u), row), k < last);
    }
    let row = min(first_row + unit / INNER_VEC4S, LAST_ROW - 1u);
    let k = first_inner + unit % INNER_VEC4S * 4u;
    if (LEFT_VEC4) {
        return below(read_left_vec4(matrix + row, inside(k, LAST_INNER - 4u)), k < last);
    }
    let inner = min(vec4(k, k + 1u, k + 2u, k + 3u), vec4(LAST_INNER - 1u));
    let at = matrix + row;
    let value = vec4(read_left(at, inner.x), read_left(at, inner.y), read_left(at, inner.z), read_left(at, inner.w));
    return select(vec4<f32>(), value, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(last));
}

fn left_rows(at: u32, first: u32) -> vec4<f32> {
    if (LEFT_VEC4) {
        return read_left_vec4(at, min(first, LAST_ROW - 4u));
    }
    let row = min(vec4(first, first + 1u, first + 2u, first + 3u), vec4(LAST_ROW - 1u));
    return vec4(read_left(at, row.x), read_left(at, row.y), read_left(at, row.z), read_left(at, row.w));
}

fn load_right(matrix: u32, first_column: u32, first_inner: u32, last: u32, unit: u32) -> vec4<f32> {
    if (!TRANSPOSE_RIGHT) {
        let column = first_column + unit % (TILE_COLUMNS / 4u) * 4u;
        let k = first_inner + unit / (TILE_COLUMNS / 4u);
        return below(right_columns(matrix + inside(k, LAST_INNER - 1u), column), k < last);
    }
    let column = min(first_column + unit / INNER_VEC4S, LAST_COLUMN - 1u);
    let k = first_inner + unit % INNER_VEC4S * 4u;
    if (RIGHT_VEC4) {
        return below(read_right_vec4(matrix + column, inside(k, LAST_INNER - 4u)), k < last);
    }
    let inner = min(vec4(k, k + 1u, k + 2u, k + 3u), vec4(LAST_INNER - 1u));
    let at = matrix + column;
    let value = vec4(read_right(at, inner.x), read_right(at, inner.y), read_right(at, inner.z), read_right(at, inner.w));
    return select(vec4<f32>(), value, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(last));
}

fn right_columns(at: u32, first: u32) -> vec4<f32> {
    if (RIGHT_VEC4) {
        return read_right_vec4(at, min(first, LAST_COLUMN - 4u));
    }
    let column = min(vec4(first, first + 1u, first + 2u, first + 3u), vec4(LAST_COLUMN - 1u));
    return vec4(read_right(at, column.x), read_right(at, column.y), read_right(at, column.z), read_right(at, column.w));
}

fn rounded(value: vec4<f32>) -> vec4<f32> {
    return vec4(
        f32(operand_of(value.x)),
        f32(operand_of(value.y)),
        f32(operand_of(value.z)),
        f32(operand_of(value.w)),
    );
}

// What an earlier launch stored for an output.
fn stored_output(batch: u32, row: u32, column: u32) -> f32 {
    return stored((batch * ROWS + min(row, LAST_ROW - 1u)) * COLUMNS + min(column, LAST_COLUMN - 1u));
}

@compute @workgroup_size(GROUP_COLUMNS, GROUP_ROWS, PARTS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    // group.z is below BATCHES, so `zero` is 0, but the compiler cannot know it, which keeps it from unrolling loops that
    // start there: their bodies are long enough.
    let zero = group.z / BATCHES;
    let batch = FIRST_BATCH + select(group.z, 0u, BATCHES == 1u);
    let left_start = left_matrix(batch) * select(ROWS, INNER, TRANSPOSE_LEFT);
    let right_start = right_matrix(batch) * select(INNER, COLUMNS, TRANSPOSE_RIGHT);
    let first_row = FIRST_ROW + group.y * TILE_ROWS;
    let first_column = FIRST_COLUMN + group.x * TILE_COLUMNS;
    let own = local.y * GROUP_COLUMNS + local.x;
    let last = min(FIRST_INNER + (local.z + 1u) * PART_INNER, LAST_INNER);
    let first_inner = FIRST_INNER + local.z * PART_INNER;
    $declare
    {
        let first = first_inner;
        let left = local.z * BLOCKS;
        let right = left + LEFT_BLOCK;
        $load_next
        $store_next
    }
    workgroupBarrier();
    // While a step multiplies its block, the block of the next one is read. The last step reads its own again, which takes less time
    // than a condition.
    for (var step = zero; step < STEPS; step++) {
        let first = first_inner + min(step + 1u, STEPS - 1u) * TILE_INNER;
        $load_next
        {
            let left = (step % BUFFERS * PARTS + local.z) * BLOCKS;
            let right = left + LEFT_BLOCK;
            $multiply
        }
        if (BUFFERS == 1u) {
            workgroupBarrier();
        }
        let left = ((step + 1u) % BUFFERS * PARTS + local.z) * BLOCKS;
        let right = left + LEFT_BLOCK;
        $store_next
        workgroupBarrier();
    }
    for (var strip = zero; strip < THREAD_ROWS / STRIP_ROWS; strip++) {
        switch strip {
            $store_strips
        }
        workgroupBarrier();
        for (var i = thread; i < STRIP_ROWS * GROUP_ROWS * TILE_COLUMNS; i += THREADS) {
            let r = i / TILE_COLUMNS / GROUP_ROWS;
            let thread_row = i / TILE_COLUMNS % GROUP_ROWS;
            let x = i % TILE_COLUMNS;
            let c = select(x / (4u * GROUP_COLUMNS) * 4u + x % 4u, x / GROUP_COLUMNS, TRANSPOSE_RIGHT);
            let thread_column = select(x / 4u, x, TRANSPOSE_RIGHT) % GROUP_COLUMNS;
            let slot = (r * COLUMN_VEC4S + c / 4u) * PART_THREADS + thread_row * GROUP_COLUMNS + thread_column;
            var value = blocks[slot][c % 4u];
            for (var part = 1u + zero; part < PARTS; part++) {
                value += blocks[part * STRIP + slot][c % 4u];
            }
            let row = first_row + tile_row(thread_row, strip * STRIP_ROWS + r);
            let column = first_column + x;
            if (row < LAST_ROW && column < LAST_COLUMN) {
                finish((batch * ROWS + row) * COLUMNS + column, batch * ROWS + row, column, value);
            }
        }
        workgroupBarrier();
    }
    if (COLUMN_SUMS) {
        if (local.y == 0u) {
            $store_column_sums
        }
        workgroupBarrier();
        for (var i = thread; i < TILE_COLUMNS; i += THREADS) {
            var value = blocks[i / 4u][i % 4u];
            for (var part = 1u + zero; part < PARTS; part++) {
                value += blocks[part * TILE_COLUMNS / 4u + i / 4u][i % 4u];
            }
            let column = first_column + i;
            if (group.y == 0u && column < LAST_COLUMN) {
                finish_column_sum(batch * COLUMNS + column, batch, column, value);
            }
        }
    }
    finish_thread();
}
