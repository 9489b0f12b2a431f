/*
 * The description of a group in the table of a plan, for any backend.
 */
import type { Tensor } from "../graph/tensor.ts";
import { rootOf } from "../graph/views.ts";
import { nodesOf, type Group } from "./fuse.ts";
import { pointwiseTraits } from "./nodes.ts";

/** The names of its ops, such as "matmul + add + relu". */
export function groupName(group: Group): string {
  const computed = group.outputs.length > 0 ? nodesOf(group) : [];
  const atomics = new Set(group.atomics.map(({ result }) => result));
  return [...computed, ...atomics, ...group.replacements].map(({ op }) => op.name).join(" + ");
}

/**
 * Shapes of the inputs and outputs, such as "[64, 784] [784, 128] → [64, 128]".
 * @param operands the inputs of the group's anchors, which come first
 */
export function groupShapes({ inputs, outputs }: Group, operands: readonly Tensor[]): string {
  const others = inputs.filter((input) => !operands.some((operand) => rootOf(operand) === input));
  const shape = (tensor: Tensor) => `[${tensor.shape.join(", ")}]`;
  return `${[...operands, ...others].map(shape).join(" ")} → ${outputs.map(shape).join(" ")}`;
}

/**
 * The number of bytes of a tensor that a group accesses: one element per result if only recomputed gathers read the
 * tensor, otherwise all of it.
 * @param whole the bytes of the tensor, or of the part that the group can access
 */
export function touchedBytes(group: Group, tensor: Tensor, inlined: ReadonlySet<Tensor>, whole: number): number {
  const readers = readersWithin(nodesOf(group), tensor, inlined);
  if (readers.length === 0 || !readers.every((node) => pointwiseTraits(node)?.gathers)) return whole;
  const largest = Math.max(...readers.map(({ size }) => size));
  return Math.min(whole, largest * (tensor.dtype === "uint8" ? 1 : 4));
}

/** The readers of a tensor among some nodes and the nodes inlined in them. */
function readersWithin(nodes: readonly Tensor[], tensor: Tensor, inlined: ReadonlySet<Tensor>): Tensor[] {
  const all = new Set(nodes);
  // The loop also visits the nodes that it adds.
  for (const node of all) {
    for (const root of node.inputs.map(rootOf)) if (inlined.has(root)) all.add(root);
  }
  return [...all].filter(({ inputs }) => inputs.some((input) => rootOf(input) === tensor));
}
