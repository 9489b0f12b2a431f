// One example's cross-entropy, -ln softmax(z)[label]: loss[row]. Completes softmax.wgsl.

fn write_row(row: u32, lane: u32, largest: f32, total: f32) {
    if (lane == 0u) {
        // The difference first: added to a large logit, the logarithm's digits would be lost.
        let loss = (largest - read_logits(row * COUNT + read_labels(row))) + log(total);
        finish(row, row / OUTPUT_COLUMNS, row % OUTPUT_COLUMNS, loss);
    }
}
