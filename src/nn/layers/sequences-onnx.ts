/*
 * What the ONNX forms of sequence layers share.
 */
import type { OnnxWriter } from "./forms.ts";

/** The number of int64 in ONNX's TensorProto.DataType. */
const INT64 = 7;

/** Adds a list of whole numbers as int64 to the graph. The last result stays. @returns its name */
export function indices(writer: OnnxWriter, name: string, values: readonly number[]): string {
  const { value } = writer;
  writer.applyTo("Cast", name, [writer.numbers(`${name}.numbers`, values)], { to: { int: INT64 } });
  writer.continueFrom(value);
  return name;
}

/** x·W + b along the last axis, with the parameters of `linear`. */
export function writeLinear(writer: OnnxWriter, name: string, hasBias: boolean): void {
  writer.apply("MatMul", `${name}.product`, [writer.parameter(`${name}.weight`)]);
  if (hasBias) writer.apply("Add", `${name}.sums`, [writer.parameter(`${name}.bias`)]);
}

/** The rows of a table at the indices in the last result. */
export function writeRows(writer: OnnxWriter, name: string, table: string): void {
  writer.apply("Cast", `${name}.indices`, [], { to: { int: INT64 } });
  writer.applyTo("Gather", `${name}.rows`, [table, writer.value]);
}
