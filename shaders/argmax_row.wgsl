// The first class of the largest logit, or of NaN: indices[row, 1]. A part of softmax.wgsl, which has found the largest already.

fn argmax_row(row: u32, lane: u32, largest: f32, total: f32) {
    if (lane == 0u) {
        var column = 0u;
        while (column < COUNT - 1u && exceeds(largest, read_logits(row * COUNT + column))) {
            column++;
        }
        finish_argmax(row, row, 0u, column);
    }
}
