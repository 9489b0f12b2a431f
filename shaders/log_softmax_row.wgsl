// A row of log-softmax: y[row, class], each lane its classes. A part of softmax.wgsl.

fn log_softmax_row(row: u32, lane: u32, largest: f32, total: f32) {
    for (var column = lane; column < COUNT; column += LANES) {
        let index = row * COUNT + column;
        finish_log_softmax(index, row, column, read_logits(index) - largest - logarithm(total));
    }
}
