/*
 * ONNX has an operator for layer normalization only from opset 17 on.
 */
import type { OnnxWriter } from "./forms.ts";
import type { LayerConfig } from "./layer.ts";

/** Subtracts the mean over axes from the last result. */
export function writeCentered(writer: OnnxWriter, name: string, axes: readonly number[]): void {
  const x = writer.value;
  writer.apply("ReduceMean", `${name}.mean`, [], { axes: { ints: axes } });
  const mean = writer.value;
  writer.continueFrom(x);
  writer.apply("Sub", `${name}.centered`, [mean]);
}

/** Divides the last result by its root mean square over axes. */
export function writeScaledToUnit(writer: OnnxWriter, name: string, axes: readonly number[], epsilon: number): void {
  const x = writer.value;
  writer.apply("Mul", `${name}.square`, [x]);
  writer.apply("ReduceMean", `${name}.meanSquare`, [], { axes: { ints: axes } });
  writer.applyNumber("Add", `${name}.sum`, epsilon);
  writer.apply("Sqrt", `${name}.root`);
  const root = writer.value;
  writer.continueFrom(x);
  writer.apply("Div", `${name}.normalized`, [root]);
}

/** Multiplies by `weight` and adds `bias`, if the layer has them. */
export function writeChannelFactors(writer: OnnxWriter, name: string, { affine }: LayerConfig, hasBias: boolean): void {
  if (affine !== true) return;
  writer.apply("Mul", `${name}.weighted`, [writer.parameter(`${name}.weight`)]);
  if (hasBias) writer.apply("Add", `${name}.shifted`, [writer.parameter(`${name}.bias`)]);
}
