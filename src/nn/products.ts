import { topologicalOrder } from "../graph/graph.ts";
import { input } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { gradients } from "../ops/gradients.ts";
import { matrixProducts, type MatrixProduct } from "../ops/matmul/index.ts";
import type { Precision } from "../precisions.ts";
import { sum } from "../ops/reduce/index.ts";
import type { Model } from "./sequential.ts";

/** Whether a node is a matrix product. */
export const isProduct = (node: Tensor): boolean => matrixProducts({ nodes: [node] }).length > 0;

/**
 * The matrix products of a model's training step, forward and backward, for `backend.tune`. For a custom step, get them
 * from its graph with `matrixProducts`.
 * @param batch the batch size
 */
export function stepProducts(model: Model, batch: number, precision: Precision = "float32"): MatrixProduct[] {
  const outputs = model.apply(input("examples", [batch, ...model.inputShape]), { training: true, precision });
  // The products do not depend on the loss.
  const nodes = topologicalOrder([outputs, ...gradients(sum(outputs), model.parameters)]);
  return matrixProducts({ nodes });
}
