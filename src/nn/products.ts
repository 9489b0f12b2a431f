import type { MatmulAttributes } from "../ops/matmul/index.ts";
import type { Precision } from "../ops/matmul/precision.ts";
import { sizeOf } from "../graph/tensor.ts";
import type { Model } from "./sequential.ts";

/** The matrix products of a training step, for a tuner: forward, and both gradients, of each dense layer. */
export function stepProducts(model: Model, batch: number, precision: Precision = "float32"): MatmulAttributes[] {
  const widths = model.parameters.filter(({ shape }) => shape.length === 2).map(({ shape }) => [shape[0]!, shape[1]!] as const);
  const product = (rows: number, inner: number, columns: number, transposed: { left?: true; right?: true } = {}) =>
    ({ rows, inner, columns, transposeLeft: transposed.left ?? false, transposeRight: transposed.right ?? false, precision });
  return widths.flatMap(([inputs, outputs]) => [
    product(batch, inputs, outputs),
    product(inputs, batch, outputs, { left: true }),
    ...(inputs === sizeOf(model.inputShape) ? [] : [product(batch, outputs, inputs, { right: true })]),
  ]);
}
