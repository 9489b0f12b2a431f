// One example's cross-entropy, -ln softmax(z)[label]: loss[row]. Completes softmax.wgsl.

fn write_row(row: u32, lane: u32, largest: f32, total: f32) {
    if (lane == 0u) {
        let loss = largest + log(total) - read_logits(row * COUNT + read_labels(row));
        finish(row, row / OUTPUT_COLUMNS, row % OUTPUT_COLUMNS, loss);
    }
}
