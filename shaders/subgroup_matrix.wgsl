// Matrices that the threads of a subgroup hold together, of the operands and of their sums.

alias Left = subgroup_matrix_left<Operand, MATRIX_INNER, MATRIX_ROWS>;
alias Right = subgroup_matrix_right<Operand, MATRIX_COLUMNS, MATRIX_INNER>;
alias Sums = subgroup_matrix_result<f32, MATRIX_COLUMNS, MATRIX_ROWS>;

fn load_left(place: u32) -> Left {
    return subgroupMatrixLoad<Left>(&left_block, place, false, MATRIX_INNER);
}

fn load_right(place: u32) -> Right {
    return subgroupMatrixLoad<Right>(&right_block, place, false, TILE_COLUMNS);
}

fn multiply_add(left: Left, right: Right, sums: Sums) -> Sums {
    return subgroupMatrixMultiplyAccumulate(left, right, sums);
}

fn store_sums(place: u32, sums: Sums) {
    subgroupMatrixStore(&results, place, sums, false, TILE_COLUMNS);
}
