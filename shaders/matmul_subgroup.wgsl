// Matrix product with subgroups of four or eight: out[row, column] = sum over k of left(row, k) * right(k, column),
// with k in order and one accumulator per output, so that the bits are those of matmul.wgsl. A workgroup is one
// subgroup and computes THREAD_ROWS × LANES THREAD_COLUMNS outputs. For each k, a lane reads the left operand of some
// rows and broadcasts it to the others, and reads the right operand of THREAD_COLUMNS columns. There is no workgroup
// memory and no barrier: on lavapipe both cost more than the product. There, a read of a vec4 costs little more than
// that of one element, so operands are read in vec4s where their rows in memory have a multiple of four elements, and
// STEP values of k are processed at once. With STEP 1, a lane holds the four values of k that it has read of the left
// operand: a word has four bytes, and the place of a row in a data set is looked up once for the four.
// Expects matmul_elements.wgsl, and: the constants of matmul.wgsl without its blocks, THREAD_ROWS a multiple of eight,
// LANES (4 or 8), STEP (1 or 4, a divisor of the number of values of k), LEFT_VEC4 and RIGHT_VEC4 (along k, which
// needs a multiple of 4 of them, and STEP 4 for the right operand; or along rows and columns if these are adjacent in
// memory, which needs THREAD_ROWS a multiple of 4 LANES or THREAD_COLUMNS of 4), and no GROUP_… or TILE_….

// Whether lanes hold the left operand of four values of k, which they read where k is a multiple of 4.
const LEFT_ALONG_INNER = LEFT_VEC4 && !TRANSPOSE_LEFT;

const LEFT_BLOCK = select(LANES, 4u * LANES, LEFT_VEC4 && TRANSPOSE_LEFT);

fn column_of(lane: u32, c: u32) -> u32 {
    return select(c * LANES + lane, (c / 4u * LANES + lane) * 4u + c % 4u, RIGHT_VEC4 && !TRANSPOSE_RIGHT);
}

// The operand of STEP values of k, from `k` on, in a row, or of four rows from a multiple of four on and one k.
fn read_rows(matrix: u32, row: u32, k: u32) -> vec4<f32> {
    if (TRANSPOSE_LEFT) {
        return read_left_vec4(matrix + k, min(row, LAST_ROW - 4u));
    }
    return read_left_vec4(matrix + min(row, LAST_ROW - 1u), k);
}

alias Right = array<f32, THREAD_COLUMNS>;

// Reads the right operand of STEP values of k, from `k` on, in the columns of a lane.
fn read_columns(matrix: u32, k: u32, first_column: u32, lane: u32) -> array<Right, STEP> {
    var values: array<Right, STEP>;
    if (RIGHT_VEC4 && TRANSPOSE_RIGHT) {
        for (var c = 0u; c < THREAD_COLUMNS; c++) {
            let column = min(first_column + column_of(lane, c), LAST_COLUMN - 1u);
            let read = read_right_vec4(matrix + column, k);
            for (var u = 0u; u < STEP; u++) {
                values[u][c] = read[u];
            }
        }
    } else if (RIGHT_VEC4) {
        for (var u = 0u; u < STEP; u++) {
            for (var c = 0u; c < THREAD_COLUMNS; c += 4u) {
                let column = min(first_column + column_of(lane, c), LAST_COLUMN - 4u);
                let read = read_right_vec4(matrix + k + u, column);
                for (var i = 0u; i < 4u; i++) {
                    values[u][c + i] = read[i];
                }
            }
        }
    } else {
        for (var u = 0u; u < STEP; u++) {
            for (var c = 0u; c < THREAD_COLUMNS; c++) {
                values[u][c] = read_right_value(matrix, k + u, first_column + column_of(lane, c));
            }
        }
    }
    return values;
}

alias Sums = array<array<f32, THREAD_COLUMNS>, THREAD_ROWS>;

fn add_products(sums: ptr<function, Sums>, row: u32, left: f32, right: Right) {
    for (var c = 0u; c < THREAD_COLUMNS; c++) {
        sums[row][c] = fma(left, right[c], sums[row][c]);
    }
}

// Adds the products of one k for LANES rows, `distance` apart, of which each lane has the left operand of one.
fn add_rows(sums: ptr<function, Sums>, first: u32, distance: u32, exact: f32, right: Right) {
    let own = f32(operand_of(exact));
    add_products(sums, first, subgroupBroadcast(own, 0u), right);
    add_products(sums, first + distance, subgroupBroadcast(own, 1u), right);
    add_products(sums, first + 2u * distance, subgroupBroadcast(own, 2u), right);
    add_products(sums, first + 3u * distance, subgroupBroadcast(own, 3u), right);
    if (LANES == 8u) {
        // The lane of a broadcast must be a constant. In a subgroup of four these are never reached.
        add_products(sums, first + 4u * distance, subgroupBroadcast(own, 4u), right);
        add_products(sums, first + 5u * distance, subgroupBroadcast(own, 5u), right);
        add_products(sums, first + 6u * distance, subgroupBroadcast(own, 6u), right);
        add_products(sums, first + 7u * distance, subgroupBroadcast(own, 7u), right);
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    let zero = group.z / BATCHES;
    let batch = FIRST_BATCH + select(group.z, 0u, BATCHES == 1u);
    let left = left_matrix(batch) * select(ROWS, INNER, TRANSPOSE_LEFT);
    let right = right_matrix(batch) * select(INNER, COLUMNS, TRANSPOSE_RIGHT);
    let first_row = FIRST_ROW + group.y * THREAD_ROWS;
    let first_column = FIRST_COLUMN + group.x * (LANES * THREAD_COLUMNS);
    var sums: Sums;
    var column_sums: array<f32, THREAD_COLUMNS>;
    var held: array<vec4<f32>, THREAD_ROWS / LANES>;
    // group.z is below BATCHES, so `zero` is 0, but the compiler cannot know it, which keeps it from unrolling loops that
    // start there: compiling takes a tenth of the time, and the kernel is as fast.
    if (ACCUMULATE) {
        for (var r = zero; r < THREAD_ROWS; r++) {
            for (var c = zero; c < THREAD_COLUMNS; c++) {
                let row = min(first_row + r, LAST_ROW - 1u);
                let column = min(first_column + column_of(lane, c), LAST_COLUMN - 1u);
                sums[r][c] = stored((batch * ROWS + row) * COLUMNS + column);
            }
        }
    }
    for (var k = FIRST_INNER + zero; k < LAST_INNER; k += STEP) {
        if (LEFT_ALONG_INNER && (STEP == 4u || k % 4u == 0u)) {
            for (var first = 0u; first < THREAD_ROWS; first += LANES) {
                held[first / LANES] = read_rows(left, first_row + first + lane, k);
            }
        }
        let exact = read_columns(right, k, first_column, lane);
        var right_values: array<Right, STEP>;
        for (var u = 0u; u < STEP; u++) {
            for (var c = 0u; c < THREAD_COLUMNS; c++) {
                right_values[u][c] = f32(operand_of(exact[u][c]));
                if (COLUMN_SUMS) {
                    column_sums[c] += exact[u][c];
                }
            }
        }
        for (var first = 0u; first < THREAD_ROWS; first += LEFT_BLOCK) {
            if (LEFT_VEC4 && TRANSPOSE_LEFT) {
                for (var u = 0u; u < STEP; u++) {
                    let own = read_rows(left, first_row + first + 4u * lane, k + u);
                    for (var i = 0u; i < 4u; i++) {
                        add_rows(&sums, first + i, 4u, own[i], right_values[u]);
                    }
                }
            } else if (LEFT_ALONG_INNER) {
                let own = held[first / LANES];
                for (var u = 0u; u < STEP; u++) {
                    add_rows(&sums, first, 1u, own[u], right_values[u]);
                }
                // With STEP 1, the value of each k is in x: an index that is not constant would keep the vector in memory.
                held[first / LANES] = own.yzwx;
            } else {
                for (var u = 0u; u < STEP; u++) {
                    add_rows(&sums, first, 1u, read_left_value(left, first_row + first + lane, k + u), right_values[u]);
                }
            }
        }
    }
    for (var c = zero; c < THREAD_COLUMNS; c++) {
        let column = first_column + column_of(lane, c);
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
