/*
 * Atomic results: integers that the kernels of their inputs combine with atomic operations. They need no kernel and no
 * memory of their own.
 */
import type { Graph } from "../graph/graph.ts";
import { constantOp } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { isPack, packOffsets } from "../graph/traits.ts";
import { rootOf } from "../graph/views.ts";
import { atomicTraits, isStepScalar, pointwiseTraits } from "./nodes.ts";

/** The contribution of a value to an atomic result. */
export interface AtomicPart {
  readonly result: Tensor;
  /** A node of the kernel that contributes it. */
  readonly value: Tensor;
  /** The number of elements of the result's inputs before the value's first element. */
  readonly offset: number;
}

/** The tensors whose elements an atomic result combines. Constants and per-step scalars contribute 0. */
export function sourcesOf(result: Tensor): { tensor: Tensor; offset: number }[] {
  const offsets = atomicTraits(result)!.offsets(result);
  return result.inputs.flatMap((input, position) => {
    const first = offsets[position]!;
    const root = rootOf(input);
    if (root.op === constantOp || isStepScalar(root)) return [];
    if (!isPack(root)) return [{ tensor: input, offset: first }];
    const slices = packOffsets(root);
    return root.inputs.map((tensor, slice) => ({ tensor, offset: first + slices[slice]! }));
  });
}

/** The state that a `replaces` node updates; undefined for other nodes. */
export function replacedState({ updates }: Graph, node: Tensor): Tensor | undefined {
  const state = pointwiseTraits(node)?.replaces ? node.inputs[1]! : undefined;
  return updates.some(({ target, value }) => target === state && rootOf(value) === node) ? state : undefined;
}
