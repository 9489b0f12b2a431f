/*
 * Atomic results: numbers that the kernels which make their inputs combine along the way. They cost no kernel and no
 * memory of their own.
 */
import type { Graph } from "../graph/graph.ts";
import { constantOp } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { isPack, packOffsets } from "../graph/traits.ts";
import { rootOf } from "../graph/views.ts";
import { atomicTraits, isStepScalar, pointwiseTraits } from "./nodes.ts";

/** What a value gives to an atomic result. */
export interface AtomicPart {
  readonly result: Tensor;
  /** A node of the kernel that combines it. */
  readonly value: Tensor;
  /** The number of the value's first element among those of the result's inputs. */
  readonly offset: number;
}

/** The tensors whose elements an atomic result combines. Constants and per-step scalars give 0. */
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

/** The state whose new value is what a node replaces its old one with, if the node is of that kind. */
export function replacedState({ updates }: Graph, node: Tensor): Tensor | undefined {
  const state = pointwiseTraits(node)?.replaces ? node.inputs[1]! : undefined;
  return updates.some(({ target, value }) => target === state && rootOf(value) === node) ? state : undefined;
}
