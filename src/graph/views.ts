import type { Tensor } from "./tensor.ts";

/** The tensor that a chain of views refers to. */
export function rootOf(tensor: Tensor): Tensor {
  let root = tensor;
  while (root.op.kind === "view") root = root.inputs[0]!;
  return root;
}

/** The tensors that must be computed before a tensor may be read, since it is a view with `isBarrier`. */
export function earlierThan(tensor: Tensor): Tensor[] {
  const earlier: Tensor[] = [];
  for (let view = tensor; view.op.kind === "view"; view = view.inputs[0]!)
    if (view.op.isBarrier) earlier.push(...view.inputs.slice(1).map(rootOf));
  return earlier;
}
