// Positions for ops that move elements. `at` is the position along an axis of the input, of `size` elements, before it
// is divided by `divisor`. Positions outside the input or between its elements become -1, the nearest element, or the
// element at the same distance on the other side of the border element.

fn move_filled(at: i32, divisor: i32, size: i32) -> i32 {
    let position = at / divisor;
    return select(-1i, position, at % divisor == 0i && position >= 0i && position < size);
}

fn move_to_edge(at: i32, divisor: i32, size: i32) -> i32 {
    return clamp(at, 0i, size - 1i);
}

fn move_reflected(at: i32, divisor: i32, size: i32) -> i32 {
    return select(abs(at), 2i * (size - 1i) - at, at >= size);
}
