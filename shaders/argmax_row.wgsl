// The first class with the largest logit, or with NaN: indices[row, 1]. Part of softmax.wgsl, which has already found
// the largest.

fn argmax_row(row: u32, lane: u32, largest: f32, total: f32) {
    if (is_first(lane)) {
        var column = 0u;
        while (column < COUNT - 1u && exceeds(largest, read_logits(row * COUNT + column))) {
            column++;
        }
        finish_argmax(row, row, 0u, column);
    }
}
