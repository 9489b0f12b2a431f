/*
 * Gradient checkpointing (Chen et al. 2016, arXiv 1604.06174): the backward pass computes again what lies between a few kept
 * tensors, so that only those stay in memory until then.
 */
import { topologicalOrder } from "../graph/graph.ts";
import { constantOp, stepScalarOp } from "../graph/leaves.ts";
import { requireTensor, Tensor, type GivenOp } from "../graph/tensor.ts";
import { gradientsBy } from "./gradients.ts";

/** [x, earlier]: the elements of x, which are read only after `earlier` was computed. */
const afterOp: GivenOp = { name: "after", kind: "view", isBarrier: true };

const after = (x: Tensor, earlier: Tensor): Tensor => new Tensor(afterOp, [x, earlier], {}, x);

/**
 * As `gradients`, with gradient checkpointing (Chen et al. 2016): only the kept tensors stay in memory for the backward pass, which
 * computes what lies between them again. The values are the same; a step takes less memory and more time.
 *
 * @example
 * ```ts
 * const kept = model.applyEach(x, { training: true }).filter((_, layer) => layer % 4 === 3);
 * const found = checkpointedGradients(loss, model.parameters, kept);
 * ```
 *
 * @param kept tensors that the loss depends on, such as the outputs of some layers; others have no effect
 * @throws GraphError, as `gradients` does
 */
export function checkpointedGradients<const Tensors extends readonly Tensor[]>(
  loss: Tensor,
  tensors: Tensors,
  kept: readonly Tensor[],
): { -readonly [Position in keyof Tensors]: Tensor } {
  for (const tensor of kept) requireTensor("checkpointedGradients kept", tensor);
  return gradientsBy(loss, tensors, (order, gradientOf) => {
    const recomputation = new Recomputation(order, kept, gradientOf);
    return (node) => recomputation.of(node);
  });
}

/** Nodes between kept tensors, and their copies for the backward pass. */
class Recomputation {
  /** For each node that is computed again, the first kept tensor that depends on it; kept tensors for themselves. */
  readonly #segments = new Map<Tensor, Tensor>();
  readonly #kept: ReadonlySet<Tensor>;
  readonly #copies = new Map<Tensor, Tensor>();
  readonly #gradientOf: (tensor: Tensor) => Tensor | undefined;

  /**
   * @param order the nodes of the loss, in topological order
   * @param kept the tensors that are kept; those that the loss does not depend on have no effect
   * @param gradientOf the gradient of a kept tensor, which is known when the backward pass reaches it
   */
  constructor(order: readonly Tensor[], kept: readonly Tensor[], gradientOf: (tensor: Tensor) => Tensor | undefined) {
    this.#gradientOf = gradientOf;
    this.#kept = new Set(kept.flatMap(withRoots));
    const wanted = new Set(kept);
    for (const end of order.filter((node) => wanted.has(node))) this.#assign(end);
  }

  of(node: Tensor): Tensor {
    return this.#segments.has(node) ? this.#copy(node) : node;
  }

  #assign(end: Tensor): void {
    const stack = [end];
    while (stack.length > 0) {
      const node = stack.pop()!;
      if (node.op.kind === "leaf" || this.#segments.has(node)) continue;
      this.#segments.set(node, end);
      stack.push(...node.inputs);
    }
  }

  #copy(node: Tensor): Tensor {
    const end = this.#segments.get(node)!;
    const barrier = this.#gradientOf(end);
    // No gradient has come through the end: nothing says when to compute it again.
    if (!barrier) return node;
    const isCopied = (input: Tensor) => this.#segments.get(input) === end && !this.#kept.has(input);
    // Without recursion, since a segment can be thousands of nodes deep.
    for (const each of topologicalOrder([node])) {
      if (this.#copies.has(each) || this.#segments.get(each) !== end || (each !== node && !isCopied(each))) continue;
      const inputs = each.inputs.map((input) =>
        isCopied(input) ? this.#copies.get(input)! : readLater(input, barrier),
      );
      this.#copies.set(each, new Tensor(each.op, inputs, each.attributes, each));
    }
    return this.#copies.get(node)!;
  }
}

/** A tensor with those that it is a view of, which share its memory. */
function withRoots(tensor: Tensor): Tensor[] {
  return tensor.op.kind === "view" ? [tensor, ...withRoots(tensor.inputs[0]!)] : [tensor];
}

/** Numbers that are written into kernels, and bytes, which have no views, are read as they are. */
const readLater = (tensor: Tensor, earlier: Tensor): Tensor =>
  tensor.op === constantOp || tensor.op === stepScalarOp || tensor.dtype === "uint8" ? tensor : after(tensor, earlier);
