// Converts elements of a data set when a batch is taken.

fn scale_value(value: f32, scale: f32, offset: f32) -> f32 {
    return fma(value, scale, offset);
}

fn scale_values(values: vec4<f32>, scale: f32, offset: f32) -> vec4<f32> {
    return fma(values, vec4(scale), vec4(offset));
}
