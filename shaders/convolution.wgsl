// The element of an image's axis of `size` elements at the position `place` in a window, or -1 for padding. The image's
// elements are at the multiples of `spread`.
fn window_element(window: u32, place: u32, stride: i32, dilation: i32, before: i32, spread: i32, size: i32) -> i32 {
    let at = i32(window) * stride + i32(place) * dilation - before;
    let element = at / spread;
    return select(-1i, element, at >= 0i && at % spread == 0i && element < size);
}
