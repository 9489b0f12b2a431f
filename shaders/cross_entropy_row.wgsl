// One example's cross-entropy, -ln softmax(z)[label]: loss[row]. A part of softmax.wgsl.

fn cross_entropy_row(row: u32, lane: u32, largest: f32, total: f32) {
    if (lane == 0u) {
        // The difference first: added to a large logit, the logarithm's digits would be lost.
        let loss = (largest - read_logits(row * COUNT + read_labels(row))) + logarithm(total);
        finish_loss(row, 0u, row, loss);
    }
}
