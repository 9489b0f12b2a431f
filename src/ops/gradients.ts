import { GraphError } from "../errors.ts";
import { constant } from "../graph/leaves.ts";
import { topologicalOrder } from "../graph/graph.ts";
import { requireTensor, type Tensor } from "../graph/tensor.ts";
import { add } from "./elementwise/arithmetic.ts";
import { reshape } from "./layout/index.ts";

/**
 * Makes the recomputation of a backward pass from the nodes of the loss, in topological order, and the gradient of each of them, which
 * is known when the pass reaches it. It returns the node whose gradient is computed in place of another one's: a copy that reads copies
 * of what is not kept.
 */
export type RecomputationMaker = (
  order: readonly Tensor[],
  gradientOf: (tensor: Tensor) => Tensor | undefined,
) => (node: Tensor) => Tensor;

/**
 * The gradients of a scalar with respect to tensors, by reverse-mode differentiation: the graph is traversed backwards
 * from the loss, and each node's upstream gradient is the sum of the contributions of its consumers (Rumelhart, Hinton
 * and Williams 1986; Goodfellow, Bengio and Courville 2016, algorithm 6.6). The results are tensors of the same graph.
 *
 * @example
 * ```ts
 * const w = parameter("w", [3], [1, 2, 3]);
 * const loss = mean(square(w));
 * const [gradient] = gradients(loss, [w]);
 * const executable = await session.compile(defineGraph({ loss, gradient }));
 * ```
 *
 * @param loss one float32 element
 * @returns one tensor per entry of `tensors`, with its shape
 * @throws GraphError if the loss is not a scalar, does not depend differentiably on one of the tensors, or depends on
 * it through an op without a gradient, such as takeBatch
 */
export function gradients<const Tensors extends readonly Tensor[]>(
  loss: Tensor,
  tensors: Tensors,
): { -readonly [Position in keyof Tensors]: Tensor } {
  return gradientsBy(loss, tensors);
}

/** As `gradients`, with a recomputation. */
export function gradientsBy<const Tensors extends readonly Tensor[]>(
  loss: Tensor,
  tensors: Tensors,
  recomputation?: RecomputationMaker,
): { -readonly [Position in keyof Tensors]: Tensor } {
  requireTensor("gradients loss", loss);
  if (!Array.isArray(tensors)) {
    throw new GraphError({
      where: "gradients",
      what: `${String(tensors)} is not a list of tensors`,
      fix: "Give the parameters as an array",
    });
  }
  for (const tensor of tensors) requireTensor("gradients", tensor);
  if (loss.size !== 1 || loss.dtype !== "float32") {
    throw new GraphError({
      where: "gradients",
      what: `the loss ${loss} is not a scalar`,
      fix: "Reduce it with mean or sum first",
    });
  }
  const order = topologicalOrder([loss]);
  const upstreams = propagated(order, new Map([[loss, reshape(constant(1), loss.shape)]]), tensors, recomputation);
  const found = tensors.map((tensor) => upstreams.get(tensor) ?? refuse(loss, tensor, order));
  return found as { -readonly [Position in keyof Tensors]: Tensor };
}

/**
 * The gradients with respect to tensors of a loss that is known by its gradients with respect to other tensors. For the
 * gradient of an op that is made of others.
 * @param given the gradient of each tensor that the loss depends on directly
 * @returns undefined for a tensor that none of them depends on
 */
export const gradientsFrom = (
  given: ReadonlyMap<Tensor, Tensor>,
  tensors: readonly Tensor[],
): (Tensor | undefined)[] => {
  const upstreams = propagated(topologicalOrder([...given.keys()]), given, tensors);
  return tensors.map((tensor) => upstreams.get(tensor));
};

/** The gradients of the nodes between the given tensors and those that they depend on. */
function propagated(
  order: readonly Tensor[],
  given: ReadonlyMap<Tensor, Tensor>,
  tensors: readonly Tensor[],
  recomputation?: RecomputationMaker,
): ReadonlyMap<Tensor, Tensor> {
  const needed = dependents(order, tensors);
  const upstreams = new Map(given);
  const recomputed = recomputation?.(order, (tensor) => upstreams.get(tensor));
  for (const node of order.toReversed()) {
    const upstream = upstreams.get(node);
    if (!upstream || !node.inputs.some((tensor) => needed.has(tensor))) continue;
    const partials = partialsOf(node, recomputed?.(node) ?? node, upstream, needed);
    node.inputs.forEach((tensor, position) => {
      const partial = partials[position];
      if (!partial || !needed.has(tensor)) return;
      const earlier = upstreams.get(tensor);
      upstreams.set(tensor, earlier ? add(earlier, partial) : partial);
    });
  }
  return upstreams;
}

/**
 * The gradients of a node's inputs. An op without a gradient is refused if a gradient is needed through it, since
 * leaving it out would give a wrong result.
 * @param recomputed the node, or a copy of it that reads recomputed values
 */
function partialsOf(
  node: Tensor,
  recomputed: Tensor,
  upstream: Tensor,
  needed: ReadonlySet<Tensor>,
): readonly (Tensor | undefined)[] {
  if (node.op.gradient) return node.op.gradient(recomputed, upstream);
  const blocked = node.inputs.find((input) => needed.has(input) && input.dtype === "float32");
  if (!blocked) return [];
  throw new GraphError({
    where: "gradients",
    what: `the gradient of ${node.op.name} is not known, and the loss depends through it on ${blocked}`,
    fix: `Use ${node.op.name} only on values without gradients, or express it with other ops`,
  });
}

function refuse(loss: Tensor, tensor: Tensor, order: readonly Tensor[]): never {
  const isUsed = order.includes(tensor);
  throw new GraphError({
    where: "gradients",
    what: isUsed ? `no gradient flows from ${loss} to ${tensor}` : `the loss ${loss} does not depend on ${tensor}`,
    fix: isUsed
      ? "Use the tensor in the loss, not only through comparisons, argmax or as labels"
      : "Use the tensor in the loss, or do not ask for its gradient",
  });
}

/** The nodes whose value depends on one of the tensors, including the tensors. */
function dependents(order: readonly Tensor[], tensors: readonly Tensor[]): Set<Tensor> {
  const found = new Set(tensors);
  for (const node of order) if (node.inputs.some((tensor) => found.has(tensor))) found.add(node);
  return found;
}
