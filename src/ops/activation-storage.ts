/*
 * Activations stored as float16 between the forward and the backward pass, as in mixed precision (Micikevicius et al. 2018,
 * arXiv 1710.03740), but with float32 arithmetic.
 */
import { topologicalOrder } from "../graph/graph.ts";
import { requireTensor, Tensor } from "../graph/tensor.ts";
import { isPack, reductionOf } from "../graph/traits.ts";
import { packFloat16, unpackFloat16 } from "./float16/index.ts";
import { reshape } from "./layout/index.ts";

/**
 * The same gradients, computed from activations that are stored as float16: what the backward pass reads of the forward pass is
 * rounded (see `packFloat16`), so that it takes half of the memory until then. The forward pass, and all arithmetic, stay float32.
 * Not rounded are parameters, inputs and what is computed from them where it is read; sums and other results of
 * reductions; moments of normalization; and the output of attention in one kernel, which holds its statistics.
 *
 * @example
 * ```ts
 * const found = withFloat16Activations(loss, gradients(loss, model.parameters));
 * ```
 *
 * @param loss the loss, on which the forward pass ends
 * @param gradients tensors that depend on values of the forward pass
 */
export function withFloat16Activations<const Tensors extends readonly Tensor[]>(
  loss: Tensor,
  gradients: Tensors,
): { -readonly [Position in keyof Tensors]: Tensor } {
  for (const tensor of [loss, ...gradients]) requireTensor("withFloat16Activations", tensor);
  const forward = new Set(topologicalOrder([loss]));
  const statistics = new Set<Tensor>();
  const copies = new Map<Tensor, Tensor>();
  const copyOf = (tensor: Tensor) => copies.get(tensor)!;
  for (const node of topologicalOrder([loss, ...gradients])) {
    if (!forward.has(node)) {
      copies.set(node, withInputs(node, node.inputs.map(copyOf)));
      continue;
    }
    if (isExact(node, statistics)) statistics.add(node);
    copies.set(node, statistics.has(node) ? node : asStored(node, copyOf));
  }
  return gradients.map(copyOf) as { -readonly [Position in keyof Tensors]: Tensor };
}

/** Whether a node is stored as it is: integers, leaves, statistics, and what is computed from such tensors by elements. */
function isExact(node: Tensor, exact: ReadonlySet<Tensor>): boolean {
  const { op, dtype, inputs } = node;
  if (dtype !== "float32" || op.kind === "leaf") return true;
  if (op.kind === "view") return exact.has(inputs[0]!);
  if (op.holdsStatistics || isPack(node) || reductionOf(node)) return true;
  return op.traits?.kind === "pointwise" && inputs.every((input) => exact.has(input));
}

/** A value of the forward pass as the backward pass reads it. */
function asStored(node: Tensor, copyOf: (tensor: Tensor) => Tensor): Tensor {
  const { op, inputs, shape } = node;
  if (op.kind === "view") return reshape(copyOf(inputs[0]!), shape);
  // Moved elements are read from where they come from.
  const isMoved = op.kind === "compute" && op.traits.kind === "pointwise" && op.traits.gathers && op.traits.cheap;
  return isMoved ? withInputs(node, inputs.map(copyOf)) : unpackFloat16(packFloat16(node), shape);
}

function withInputs(node: Tensor, inputs: readonly Tensor[]): Tensor {
  return inputs.every((input, position) => input === node.inputs[position])
    ? node
    : new Tensor(node.op, inputs, node.attributes, node);
}
