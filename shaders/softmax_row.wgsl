// The softmax of a row, y[row, class]. Each lane computes its classes. Part of softmax.wgsl.

fn softmax_row(row: u32, lane: u32, largest: f32, total: f32) {
    for (var column = lane; column < COUNT; column += LANES) {
        let index = row * COUNT + column;
        finish_softmax(index, row, column, exponential(read_logits(index) - largest) / total);
    }
}
