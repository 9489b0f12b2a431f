// The cross-entropy of one example, loss[row] = -ln softmax(z)[label]. Part of softmax.wgsl.

fn cross_entropy_row(row: u32, lane: u32, largest: f32, total: f32) {
    if (is_first(lane)) {
        // The difference comes first, since adding the logarithm to a large logit would lose its digits.
        let loss = (largest - read_logits(row * COUNT + read_labels(row))) + logarithm(total);
        finish_loss(row, 0u, row, loss);
    }
}
