// The log-softmax of a row, y[row, class]. Each lane computes its classes. Part of softmax.wgsl.

fn log_softmax_row(row: u32, lane: u32, largest: f32, total: f32) {
    for (var column = lane; column < COUNT; column += LANES) {
        let index = row * COUNT + column;
        finish_log_softmax(index, row, column, read_logits(index) - largest - logarithm(total));
    }
}
