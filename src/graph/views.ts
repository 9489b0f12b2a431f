import type { Tensor } from "./tensor.ts";

/** The tensor that a chain of views refers to. */
export function rootOf(tensor: Tensor): Tensor {
  let root = tensor;
  while (root.op.kind === "view") root = root.inputs[0]!;
  return root;
}
