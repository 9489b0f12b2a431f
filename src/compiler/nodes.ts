/*
 * Properties of nodes that all passes need, derived from the traits of their ops.
 */
import { constantOp, stepScalarOp } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { reductionOf, type AnchorTraits, type AtomicTraits, type PointwiseTraits } from "../graph/traits.ts";
import { rootOf } from "../graph/views.ts";

/**
 * Whether a kernel computes the node. A pack has no kernel, since its members are computed directly in their slices.
 */
export const isComputed = (node: Tensor): boolean => Boolean(pointwiseTraits(node) ?? anchorTraits(node));

export function pointwiseTraits({ op: { traits } }: Tensor): PointwiseTraits | undefined {
  return traits?.kind === "pointwise" ? traits : undefined;
}

/** Those of a node with a kernel of its own, as an atomic result that no other kernel combines has. */
export function anchorTraits({ op: { traits } }: Tensor): AnchorTraits | undefined {
  if (traits?.kind === "atomic") return { kind: "anchor" };
  return traits?.kind === "anchor" ? traits : undefined;
}

export function atomicTraits({ op: { traits } }: Tensor): AtomicTraits | undefined {
  return traits?.kind === "atomic" ? traits : undefined;
}

/** The operation of a node that reduces all elements of its input to their sum or mean; undefined for other nodes. */
export function fullReduction(node: Tensor): "sum" | "mean" | undefined {
  const { operation, outer, inner } = reductionOf(node) ?? {};
  if (outer !== 1 || inner !== 1) return undefined;
  return operation === "sum" || operation === "mean" ? operation : undefined;
}

/** Whether a node, or an inlined node that it reads, reads a tensor at other elements than its own. */
export function gathersFrom(node: Tensor, tensor: Tensor, inlined: ReadonlySet<Tensor>): boolean {
  const reads = oncePerNode((current) =>
    current.inputs.map(rootOf).some((root) => root === tensor || (inlined.has(root) && reads(root))),
  );
  const gathers = oncePerNode((current) => {
    const isGather = pointwiseTraits(current)?.gathers ?? false;
    return current.inputs
      .map(rootOf)
      .some((root) => (root === tensor ? isGather : inlined.has(root) && (isGather ? reads : gathers)(root)));
  });
  return gathers(node);
}

/** Computes the function once for each node: many paths can lead to a node through others. */
function oncePerNode(compute: (node: Tensor) => boolean): (node: Tensor) => boolean {
  const known = new Map<Tensor, boolean>();
  return (node) => {
    const found = known.get(node) ?? compute(node);
    known.set(node, found);
    return found;
  };
}

/** Whether a tensor is a constant of one element, which is a literal in the kernels that read it. */
export const isLiteral = (tensor: Tensor): boolean => tensor.op === constantOp && tensor.size === 1;

export const isStepScalar = (tensor: Tensor): boolean => tensor.op === stepScalarOp;
