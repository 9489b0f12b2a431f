// The workgroup memory of matmul.wgsl with float32 operands. Results are written through the right operand's block.

var<workgroup> left_block: array<Operand, TILE_INNER * TILE_ROWS>;
var<workgroup> right_block: array<Operand, TILE_INNER * TILE_COLUMNS>;

fn store_right(i: u32, value: f32) {
    right_block[i] = value;
}

// The right operand as read from memory.
fn exact_right(i: u32, operand: f32) -> f32 {
    return operand;
}

fn set_strip(i: u32, value: f32) {
    right_block[i] = value;
}

fn strip_value(i: u32) -> f32 {
    return right_block[i];
}
