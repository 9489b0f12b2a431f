// A float16 operand of a product. Before it: float16_rounding.wgsl.

alias Operand = f16;

fn operand_of(value: f32) -> Operand {
    let bits = bitcast<u32>(value);
    return Operand(bitcast<f32>((bits & 0x80000000u) | float16_magnitude(bits & 0x7fffffffu)));
}
