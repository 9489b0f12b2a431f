import { topologicalOrder } from "./graph.ts";
import { Tensor } from "./tensor.ts";

/**
 * The same computations with other leaves. Nodes that depend on none of the replaced leaves are kept.
 * @param replacements for each replaced leaf, one of the same shape and type
 */
export function substituted(roots: readonly Tensor[], replacements: ReadonlyMap<Tensor, Tensor>): Tensor[] {
  const made = new Map(replacements);
  for (const node of topologicalOrder(roots)) {
    if (made.has(node) || !node.inputs.some((tensor) => made.has(tensor))) continue;
    const inputs = node.inputs.map((tensor) => made.get(tensor) ?? tensor);
    made.set(node, new Tensor(node.op, inputs, node.attributes, node));
  }
  return roots.map((root) => made.get(root) ?? root);
}
