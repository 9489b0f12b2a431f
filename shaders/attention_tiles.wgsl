// What the kernels of attention in tiles share. A workgroup of SIDE × SIDE threads processes TILE queries and TILE keys at a
// time. All operands pass through workgroup memory as vec4s, and the scores lie there. For products, a thread has OWN rows,
// SIDE apart, and OWN columns; for scores, it has half a row of the tile. Appended to attention.wgsl.
// Expects: OWN (a power of two up to 4), TILES (1 or 2), STAGED_WIDTH and STAGED_VALUES (rows of an operand that are staged for
// a sum).

const SIDE = 8u;
const TILE = SIDE * OWN;
const THREADS = SIDE * SIDE;

// Two blocks of TILE rows with CHUNK vec4s each, padded so that rows start in different banks. Sums take whole rows instead.
const CHUNK = 4u;
const PITCH = CHUNK + 1u;
const STAGE = 2u * TILE * PITCH;
var<workgroup> stage: array<vec4<f32>, STAGE>;

// The scores, and the gradients of the weights.
const TILE_PITCH = TILE + 1u;
const GRADIENTS = TILE * TILE_PITCH;
var<workgroup> tile: array<f32, TILES * TILE * TILE_PITCH>;

alias Sums = array<array<vec4<f32>, PARTS>, OWN>;

fn own_row(thread: u32, i: u32) -> u32 {
    return thread / SIDE + i * SIDE;
}

fn own_column(thread: u32, j: u32) -> u32 {
    return thread % SIDE + j * SIDE;
}

fn read_four(rows: Rows, row: u32, column: u32) -> vec4<f32> {
    if (rows.first + row < rows.end) {
        return operand(rows.which, rows.first + row, 4u * column);
    }
    return vec4<f32>();
}

// Puts the products of TILE rows of one operand with TILE rows of another into the tile from `at` on; `vec4s` is the length
// of a row. `zero` is 0, but the compiler cannot know it, which keeps loops from being unrolled. On lavapipe, compilation
// takes minutes otherwise.
fn set_products(at: u32, left: Rows, right: Rows, vec4s: u32, thread: u32, zero: u32) {
    var sums: array<array<f32, OWN>, OWN>;
    for (var first = zero; first < vec4s; first += CHUNK) {
        workgroupBarrier();
        for (var i = thread; i < 2u * TILE * CHUNK; i += THREADS) {
            let row = i / CHUNK;
            let column = first + i % CHUNK;
            let is_left = row < TILE;
            let rows = Rows(select(right.which, left.which, is_left), select(right.first, left.first, is_left), select(right.end, left.end, is_left));
            var values = vec4<f32>();
            if (column < vec4s) {
                values = read_four(rows, row % TILE, column);
            }
            stage[row * PITCH + i % CHUNK] = values;
        }
        workgroupBarrier();
        for (var c = zero; c < CHUNK; c++) {
            var rights: array<vec4<f32>, OWN>;
            for (var j = 0u; j < OWN; j++) {
                rights[j] = stage[(TILE + own_column(thread, j)) * PITCH + c];
            }
            for (var i = 0u; i < OWN; i++) {
                let own = stage[own_row(thread, i) * PITCH + c];
                for (var j = 0u; j < OWN; j++) {
                    sums[i][j] += dot(own, rights[j]);
                }
            }
        }
    }
    for (var i = 0u; i < OWN; i++) {
        for (var j = 0u; j < OWN; j++) {
            tile[at + own_row(thread, i) * TILE_PITCH + own_column(thread, j)] = sums[i][j];
        }
    }
}

// Adds the products of the tile from `at` on with TILE rows of an operand to sums. `staged` rows of the operand are in
// workgroup memory at a time.
fn add_products(sums: ptr<function, Sums>, at: u32, right: Rows, vec4s: u32, staged: u32, thread: u32, zero: u32) {
    for (var first = zero; first < TILE; first += staged) {
        workgroupBarrier();
        for (var i = thread; i < staged * vec4s; i += THREADS) {
            stage[i] = read_four(right, first + i / vec4s, i % vec4s);
        }
        workgroupBarrier();
        for (var k = zero; k < staged; k++) {
            var factors: array<f32, OWN>;
            for (var i = 0u; i < OWN; i++) {
                factors[i] = tile[at + own_row(thread, i) * TILE_PITCH + first + k];
            }
            for (var part = 0u; part < PARTS; part++) {
                // The stage is longer than the columns that do not exist reach, and their sums are not used.
                let values = stage[min(k * vec4s + own_column(thread, part), STAGE - 1u)];
                for (var i = 0u; i < OWN; i++) {
                    (*sums)[i][part] += factors[i] * values;
                }
            }
        }
    }
}

// Hands on sums, times a factor of each row. The rows of the tile are those of the result from `first_row` on, up to `end_row`.
fn store_sums(sums: ptr<function, Sums>, first_row: u32, end_row: u32, columns: Columns, thread: u32, zero: u32) {
    for (var part = 0u; part < PARTS; part++) {
        workgroupBarrier();
        for (var i = 0u; i < OWN; i++) {
            stage[own_row(thread, i) * SIDE + thread % SIDE] = (*sums)[i][part];
        }
        workgroupBarrier();
        for (var i = thread + zero; i < TILE * 4u * SIDE; i += THREADS) {
            let row = first_row + i / (4u * SIDE);
            let column = part * 4u * SIDE + i % (4u * SIDE);
            if (row < end_row && column < columns.count) {
                let at = columns.first + column;
                finish(row * columns.width + at, row, at, stage[i / 4u][i % 4u]);
            }
        }
    }
}
