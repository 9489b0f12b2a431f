// Single elements of the operands of a product; `matrix` is the first row in memory of an operand's matrix. A row or column outside the
// result is moved inside instead of skipped, so that a read needs no branch: no output contains it. k must be inside.
// Expects: LAST_ROW and LAST_COLUMN (exclusive), TRANSPOSE_LEFT, TRANSPOSE_RIGHT.

fn read_left_value(matrix: u32, row: u32, k: u32) -> f32 {
    let inside = min(row, LAST_ROW - 1u);
    return read_left(matrix + select(inside, k, TRANSPOSE_LEFT), select(k, inside, TRANSPOSE_LEFT));
}

fn read_right_value(matrix: u32, k: u32, column: u32) -> f32 {
    let inside = min(column, LAST_COLUMN - 1u);
    return read_right(matrix + select(k, inside, TRANSPOSE_RIGHT), select(inside, k, TRANSPOSE_RIGHT));
}
