// A row of softmax or log-softmax: y[row, class], each lane its classes. Completes softmax.wgsl.
// Expects: LOGARITHM.

fn write_row(row: u32, lane: u32, largest: f32, total: f32) {
    for (var column = lane; column < COUNT; column += LANES) {
        let index = row * COUNT + column;
        let shifted = read_logits(index) - largest;
        finish(index, row, column, select(exp(shifted) / total, shifted - log(total), LOGARITHM));
    }
}
