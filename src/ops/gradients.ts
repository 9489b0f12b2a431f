import { GraphError } from "../errors.ts";
import { constant } from "../graph/leaves.ts";
import { topologicalOrder } from "../graph/graph.ts";
import { requireTensor, type Tensor } from "../graph/tensor.ts";
import { add } from "./elementwise/arithmetic.ts";
import { reshape } from "./layout/index.ts";

/**
 * The gradient of a scalar with respect to each of `tensors`, by reverse mode: the graph is walked from the loss
 * back, and each node's upstream gradient is the sum of what its consumers send (Rumelhart, Hinton and Williams
 * 1986; Goodfellow, Bengio and Courville 2016, algorithm 6.6). The result is more graph.
 * @param loss one float32 element
 * @returns one tensor per entry of `tensors`, of its shape
 * @throws GraphError where the loss is not a scalar, does not depend, differentiably, on a tensor, or depends on it through
 * an op whose gradient is not known, such as takeBatch
 */
export function gradients<const Tensors extends readonly Tensor[]>(
  loss: Tensor,
  tensors: Tensors,
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
  const needed = dependents(order, tensors);
  const upstreams = new Map<Tensor, Tensor>([[loss, reshape(constant(1), loss.shape)]]);
  for (const node of order.toReversed()) {
    const upstream = upstreams.get(node);
    if (!upstream || !node.inputs.some((tensor) => needed.has(tensor))) continue;
    const partials = partialsOf(node, upstream, needed);
    node.inputs.forEach((tensor, position) => {
      const partial = partials[position];
      if (!partial || !needed.has(tensor)) return;
      const earlier = upstreams.get(tensor);
      upstreams.set(tensor, earlier ? add(earlier, partial) : partial);
    });
  }
  const found = tensors.map((tensor) => upstreams.get(tensor) ?? refuse(loss, tensor, order));
  return found as { -readonly [Position in keyof Tensors]: Tensor };
}

/** What a node sends to its inputs. An op without a gradient that a gradient would have to pass would give a wrong one. */
function partialsOf(node: Tensor, upstream: Tensor, needed: ReadonlySet<Tensor>): readonly (Tensor | undefined)[] {
  if (node.op.gradient) return node.op.gradient(node, upstream);
  const blocked = node.inputs.find((input) => needed.has(input) && input.dtype === "float32");
  if (!blocked) return [];
  throw new GraphError({
    where: "gradients",
    what: `the gradient of ${node.op.name} is not known, and the loss depends through it on ${blocked}`,
    fix: `Use ${node.op.name} only on values that no gradient is taken of, or write the same with other ops`,
  });
}

function refuse(loss: Tensor, tensor: Tensor, order: readonly Tensor[]): never {
  const isUsed = order.includes(tensor);
  throw new GraphError({
    where: "gradients",
    what: isUsed ? `no gradient flows from ${loss} to ${tensor}` : `the loss ${loss} does not depend on ${tensor}`,
    fix: isUsed
      ? "Use the tensor in the loss, not only through comparisons, argmax or as labels"
      : "Use the tensor in the loss, or take no gradient of it",
  });
}

/** The nodes whose value depends on any of the tensors, those included. */
function dependents(order: readonly Tensor[], tensors: readonly Tensor[]): Set<Tensor> {
  const found = new Set(tensors);
  for (const node of order) if (node.inputs.some((tensor) => found.has(tensor))) found.add(node);
  return found;
}
