// Depthwise convolution: y[example, row, column, channel] is the sum over the positions in a window of the image's element
// there times the weight of the position and the channel. Positions in padding are left out. A thread computes one of
// OUTPUTS elements, and continues with the element THREADS further on.
// Expects: window_element of convolution.wgsl; HEIGHT, WIDTH, CHANNELS (of an image); ROWS, COLUMNS (of windows);
// KERNEL_HEIGHT, KERNEL_WIDTH; STEP, DILATION, BEFORE, SPREAD (pairs of i32: height, width); FLIPPED (1 if the weights
// are in reverse order of their positions); OUTPUTS, THREADS (of the whole grid), GROUP_THREADS.

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(global_invocation_id) thread: vec3<u32>) {
    for (var output = thread.x; output < OUTPUTS; output += THREADS) {
        let channel = output % CHANNELS;
        let window = output / CHANNELS;
        let row = window / COLUMNS % ROWS;
        let example = window / (COLUMNS * ROWS);
        var total = 0.0;
        for (var down = 0u; down < KERNEL_HEIGHT; down++) {
            let y = window_element(row, down, STEP.x, DILATION.x, BEFORE.x, SPREAD.x, i32(HEIGHT));
            if (y < 0i) {
                continue;
            }
            let line = (example * HEIGHT + u32(y)) * WIDTH;
            for (var across = 0u; across < KERNEL_WIDTH; across++) {
                let x = window_element(window % COLUMNS, across, STEP.y, DILATION.y, BEFORE.y, SPREAD.y, i32(WIDTH));
                if (x < 0i) {
                    continue;
                }
                let place = down * KERNEL_WIDTH + across;
                let own = select(place, KERNEL_HEIGHT * KERNEL_WIDTH - 1u - place, FLIPPED == 1u);
                total += read_images((line + u32(x)) * CHANNELS + channel) * read_weights(own * CHANNELS + channel);
            }
        }
        finish(output, output / OUTPUT_COLUMNS, output % OUTPUT_COLUMNS, total);
    }
    finish_thread();
}
