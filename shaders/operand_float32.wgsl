// A float32 operand of a product, unchanged.

alias Operand = f32;

fn operand_of(value: f32) -> Operand {
    return value;
}
