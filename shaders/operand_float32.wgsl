// An operand of a product in float32: as it is.

alias Operand = f32;

fn operand_of(value: f32) -> Operand {
    return value;
}
