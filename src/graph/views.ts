import type { Tensor } from "./tensor.ts";

/** The tensor whose elements a chain of views shows. */
export function rootOf(tensor: Tensor): Tensor {
  let root = tensor;
  while (root.op.kind === "view") root = root.inputs[0]!;
  return root;
}
