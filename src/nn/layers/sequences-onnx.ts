/*
 * What the ONNX forms of sequence layers share.
 */
import { onnxTypes } from "../../ops/forms.ts";
import type { OnnxWriter } from "./forms.ts";

/** x·W + b along the last axis, with the parameters of `linear`. */
export function writeLinear(writer: OnnxWriter, name: string, hasBias: boolean): void {
  writer.apply("MatMul", `${name}.product`, [writer.parameter(`${name}.weight`)]);
  if (hasBias) writer.apply("Add", `${name}.sums`, [writer.parameter(`${name}.bias`)]);
}

/** The rows of a table at the indices in the last result. */
export function writeRows(writer: OnnxWriter, name: string, table: string): void {
  writer.apply("Cast", `${name}.indices`, [], { to: { int: onnxTypes.int64 } });
  writer.applyTo("Gather", `${name}.rows`, [table, writer.value]);
}
