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
export function totalOperation(node: Tensor): "sum" | "mean" | undefined {
  const { operation, outer, inner } = reductionOf(node) ?? {};
  if (outer !== 1 || inner !== 1) return undefined;
  return operation === "sum" || operation === "mean" ? operation : undefined;
}

/** Whether a node, or an inlined node that it reads, reads a tensor at other elements than its own. */
export function gathersFrom(node: Tensor, tensor: Tensor, inlined: ReadonlySet<Tensor>): boolean {
  const gathers = pointwiseTraits(node)?.gathers ?? false;
  return node.inputs.map(rootOf).some((root) => {
    if (root === tensor) return gathers;
    return inlined.has(root) && (gathers ? readsFrom(root, tensor, inlined) : gathersFrom(root, tensor, inlined));
  });
}

/** Whether a node, or an inlined one that it reads, reads a tensor. */
function readsFrom(node: Tensor, tensor: Tensor, inlined: ReadonlySet<Tensor>): boolean {
  return node.inputs
    .map(rootOf)
    .some((root) => root === tensor || (inlined.has(root) && readsFrom(root, tensor, inlined)));
}

/** Whether a tensor is a constant of one element, which is a literal in the kernels that read it. */
export const isLiteral = (tensor: Tensor): boolean => tensor.op === constantOp && tensor.size === 1;

export const isStepScalar = (tensor: Tensor): boolean => tensor.op === stepScalarOp;
