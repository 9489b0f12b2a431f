import type { LayerPlace, OnnxAttributes, OnnxWriter } from "./forms.ts";
import type { LayerConfig } from "./layer.ts";
import { namingsOf } from "./recurrent.ts";

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
  const namings = namingsOf(config["bidirectional"] === true);
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
  const joined = (own: string, axis: number, parts: readonly string[]) => {
    if (parts.length > 1) writer.applyTo("Concat", `${name}.${own}`, parts, { axis: { int: axis } });
    return parts.length > 1 ? writer.value : parts[0]!;
  };
  /** A parameter of all directions. */
  const ofAll = (own: string, axes?: readonly number[]) =>
    joined(
      `${own}.directions`,
      0,
      namings.map((nameOf) => ordered(nameOf(own), axes)),
    );
  const weights = [ofAll("weight", [1, 0]), ofAll("recurrentWeight", [1, 0])];
  if (config["bias"] === true) weights.push(joined("biases", 1, [ofAll("bias"), ofAll("recurrentBias")]));
  writer.continueFrom(x);
  writer.transpose(`${name}.byStep`, [1, 0, 2]);
  writer.apply(operator, `${name}.outputs`, weights, {
    hidden_size: { int: units },
    ...(namings.length > 1 && { direction: { text: "bidirectional" } }),
    ...attributes,
  });
  // [length, directions, batch, units]
  writer.transpose(`${name}.byExample`, [2, 0, 1, 3]);
  const outputs = namings.length * units;
  if (config["sequences"] === true) return writer.reshape(`${name}.sequence`, [length, outputs]);
  writer.reshape(`${name}.sequence`, [length * outputs]);
  // The last step of the forward direction, and the first one of the other.
  const last = Array.from({ length: outputs }, (_, index) => (index < units ? (length - 1) * outputs : 0) + index);
  writer.apply("Gather", `${name}.output`, [writer.integers(`${name}.last`, last)], { axis: { int: 1 } });
}
