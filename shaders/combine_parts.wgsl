// The second stage of a reduction in parts reads the results of the parts instead of x.

fn read_x(index: u32) -> f32 {
    return bitcast<f32>(read_part(index));
}
