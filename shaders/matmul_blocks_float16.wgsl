// The workgroup memory of matmul.wgsl with operands in float16. Beside them lies a block in float32, through which
// results leave, and which holds the right operand as it was where its columns are summed.

var<workgroup> left_block: array<Operand, TILE_INNER * TILE_ROWS>;
var<workgroup> right_block: array<Operand, TILE_INNER * TILE_COLUMNS>;
var<workgroup> exact_block: array<f32, TILE_INNER * TILE_COLUMNS>;

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
