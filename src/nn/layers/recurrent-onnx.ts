import type { LayerPlace, OnnxAttributes, OnnxWriter } from "./forms.ts";
import type { LayerConfig } from "./layer.ts";

interface RecurrentOperator {
  readonly operator: "GRU" | "LSTM";
  readonly name: string;
  readonly place: LayerPlace;
}

/**
 * Writes a recurrent layer as an operator of ONNX.
 * @param order for each gate of the operator, its position in this library
 */
export function writeRecurrent(
  writer: OnnxWriter,
  config: LayerConfig,
  { operator, name, place }: RecurrentOperator,
  order: readonly number[],
  attributes: OnnxAttributes = {},
): void {
  const [length, units] = [place.inputShape[0]!, config["units"] as number];
  const x = writer.value;
  const rows = writer.integers(
    `${name}.order`,
    order.flatMap((gate) => Array.from({ length: units }, (_, unit) => gate * units + unit)),
  );
  const first = writer.integers(`${name}.first`, [0]);
  /** Reorders the gates, along the first axis, and adds an axis of directions before. */
  const ordered = (own: string, axes?: readonly number[]) => {
    writer.applyTo("Gather", `${name}.${own}.ordered`, [writer.parameter(`${name}.${own}`, axes), rows]);
    writer.apply("Unsqueeze", `${name}.${own}.direction`, [first]);
    return writer.value;
  };
  const weights = [ordered("weight", [1, 0]), ordered("recurrentWeight", [1, 0])];
  if (config["bias"] === true) {
    writer.applyTo("Concat", `${name}.biases`, [ordered("bias"), ordered("recurrentBias")], { axis: { int: 1 } });
    weights.push(writer.value);
  }
  writer.continueFrom(x);
  writer.transpose(`${name}.byStep`, [1, 0, 2]);
  writer.apply(operator, `${name}.outputs`, weights, { hidden_size: { int: units }, ...attributes });
  // [length, directions, batch, units]
  writer.transpose(`${name}.byExample`, [2, 0, 1, 3]);
  writer.reshape(`${name}.sequence`, [length, units]);
  if (config["sequences"] === true) return;
  writer.apply("Gather", `${name}.last`, [writer.integers(`${name}.lastStep`, [length - 1])], { axis: { int: 1 } });
  writer.reshape(`${name}.output`, [units]);
}
