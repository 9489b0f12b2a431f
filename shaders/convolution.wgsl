// The element of an image's axis of `size` elements at a place of a window; -1 where it is padding. The image's elements lie
// at the multiples of `spread`.
fn window_element(window: u32, place: u32, stride: i32, dilation: i32, before: i32, spread: i32, size: i32) -> i32 {
    let at = i32(window) * stride + i32(place) * dilation - before;
    let element = at / spread;
    return select(-1i, element, at >= 0i && at % spread == 0i && element < size);
}
