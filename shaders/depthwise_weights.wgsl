// The gradient of a depthwise convolution for its weights, as a sum by reduce.wgsl: entry (window, place, channel) is the
// image's element at a position in a window, times the window's value. Entries of padding are 0.
// Expects: window_element of convolution.wgsl; STRIDE (positions · channels); HEIGHT, WIDTH, CHANNELS (of an image); ROWS,
// COLUMNS (of windows); KERNEL_WIDTH; STEP, DILATION, BEFORE, SPREAD (pairs of i32: height, width).

fn read_x(entry: u32) -> f32 {
    let window = entry / STRIDE;
    let place = entry % STRIDE / CHANNELS;
    let channel = entry % CHANNELS;
    let row = window / COLUMNS % ROWS;
    let y = window_element(row, place / KERNEL_WIDTH, STEP.x, DILATION.x, BEFORE.x, SPREAD.x, i32(HEIGHT));
    let column = window % COLUMNS;
    let x = window_element(column, place % KERNEL_WIDTH, STEP.y, DILATION.y, BEFORE.y, SPREAD.y, i32(WIDTH));
    if (min(y, x) < 0i) {
        return 0.0;
    }
    let pixel = (window / (COLUMNS * ROWS) * HEIGHT + u32(y)) * WIDTH + u32(x);
    return read_images(pixel * CHANNELS + channel) * read_values(window * CHANNELS + channel);
}
