/*
 * Gradient checkpointing (Chen et al. 2016, arXiv 1604.06174): the backward pass computes again what lies between a few kept
 * tensors, so that only those stay in memory until then.
 */
import { topologicalOrder } from "../graph/graph.ts";
import { constantOp, stepScalarOp } from "../graph/leaves.ts";
import { substituted } from "../graph/substitute.ts";
import { Tensor, type GivenOp } from "../graph/tensor.ts";

/** [x, earlier]: the elements of x, which are read only after `earlier` was computed. */
const afterOp: GivenOp = { name: "after", kind: "view", isBarrier: true };

const after = (x: Tensor, earlier: Tensor): Tensor => new Tensor(afterOp, [x, earlier], {}, x);

/** Nodes between kept tensors, and their copies for the backward pass. */
export class Recomputation {
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

  /** The node whose gradient is computed in place of another one's: it reads copies of what is not kept. */
  of(node: Tensor): Tensor {
    return this.#segments.has(node) ? this.#copy(node) : node;
  }

  /** What was computed with `of(node)`, with the kept value of the node itself. */
  withKept(node: Tensor, results: readonly (Tensor | undefined)[]): readonly (Tensor | undefined)[] {
    const copied = this.#copies.get(node);
    if (!copied || !this.#kept.has(node)) return results;
    const given = results.filter((result) => result !== undefined);
    const replaced = substituted(given, new Map([[copied, node]]));
    return results.map((result) => result && replaced[given.indexOf(result)]);
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
