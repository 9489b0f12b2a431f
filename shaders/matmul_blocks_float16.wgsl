// The workgroup memory of matmul.wgsl with float16 operands. An additional block in float32 is used to write results,
// and holds the unrounded right operand if its columns are summed.

var<workgroup> left_block: array<Operand, TILE_INNER * TILE_ROWS>;
var<workgroup> right_block: array<Operand, TILE_INNER * TILE_COLUMNS>;
var<workgroup> exact_block: array<f32, select(GROUP_ROWS, TILE_INNER, COLUMN_SUMS) * TILE_COLUMNS>;

fn store_right(i: u32, value: f32) {
    right_block[i] = operand_of(value);
    if (COLUMN_SUMS) {
        exact_block[i] = value;
    }
}

fn exact_right(i: u32, operand: f32) -> f32 {
    return exact_block[i];
}

fn set_strip(i: u32, value: f32) {
    exact_block[i] = value;
}

fn strip_value(i: u32) -> f32 {
    return exact_block[i];
}
