// The gradient of one example's cross-entropy with respect to its logits: dz[row, class] = (softmax(z) - onehot(label))
// * upstream. Each lane computes its classes. Part of softmax.wgsl.

fn cross_entropy_gradient_row(row: u32, lane: u32, largest: f32, total: f32) {
    let label = read_labels(row);
    let factor = read_upstream(row);
    for (var column = lane; column < COUNT; column += LANES) {
        let index = row * COUNT + column;
        let probability = exponential(read_logits(index) - largest) / total;
        finish_gradient(index, row, column, (probability - select(0.0, 1.0, column == label)) * factor);
    }
}
