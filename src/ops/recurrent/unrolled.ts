import { Tensor, type GivenOp } from "../../graph/tensor.ts";
import { add, multiply } from "../elementwise/index.ts";
import { gradientsFrom } from "../gradients.ts";
import { flip, slice, stack } from "../indexing/index.ts";
import { broadcastTo, pack, reshape, stopGradient, transpose } from "../layout/index.ts";
import { matmul } from "../matmul/index.ts";
import type { Precision } from "../../precisions.ts";
import { sum } from "../reduce/index.ts";

/**
 * One step of a recurrent network.
 * @param step the input's part of the gates, [batch, gates · units]
 * @param product the part of the output before, of the same shape; undefined in the first step of a network without a
 * recurrent bias and an initial state
 * @param before the results of the step before; empty in the first step without an initial state
 * @returns the output, [batch, units], and any other state
 */
export type Cell = (step: Tensor, product: Tensor | undefined, before: readonly Tensor[]) => Tensor[];

interface UnrolledOptions {
  readonly cell: Cell;
  readonly sequences: boolean;
  readonly precision: Precision;
  /** The results of the step before the first one; empty for zeros. */
  readonly initial: readonly Tensor[];
  /** Whether the last step is read first. */
  readonly reverse: boolean;
  /** Whether the results of the step that is read last are needed. */
  readonly withState: boolean;
}

/** What the gradient needs of the steps, which are inputs of the node by these numbers. */
interface UnrolledAttributes {
  readonly length: number;
  readonly sequences: boolean;
  readonly reverse: boolean;
  readonly hasBias: boolean;
  /** The number of states of the step before the first one. */
  readonly initial: number;
  /** The number of states that the result has beside outputs. */
  readonly others: number;
  readonly precision: Precision;
}

/** The output of a recurrent network, and the results of the step that is read last if they are needed. */
interface Unrolled {
  readonly output: Tensor;
  readonly state: readonly Tensor[];
}

/** Applies a cell to all steps. @param projected [batch, length, gates · units] */
export function unrolled(
  projected: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  { cell, sequences, precision, initial, reverse, withState }: UnrolledOptions,
): Unrolled {
  // The gradient of the node below reaches the input and the initial state. It must not do so through the steps as well.
  const start = initial.map(stopGradient);
  const steps = inReadingOrder(stepsOf(stopGradient(projected)), reverse);
  const products: Tensor[] = [];
  const outputs: Tensor[] = [];
  let before: readonly Tensor[] = start;
  for (const step of steps) {
    const product = productOf(before[0], { weight, bias, like: step, precision });
    if (product) products.push(product);
    before = cell(step, product, before);
    outputs.push(before[0]!);
  }
  const others = withState ? before.slice(1) : [];
  const attributes = {
    length: steps.length,
    sequences,
    reverse,
    hasBias: bias !== undefined,
    initial: initial.length,
    others: others.length,
    precision,
  };
  const parts = partsOf(attributes, outputs, others);
  const result = isStacked(attributes) ? stack(parts, 1) : parts[0]!;
  const inputs = [result, projected, weight, ...(bias ? [bias] : []), ...initial];
  const inside = [...start, ...steps, ...outputs, ...others, ...products];
  const node = new Tensor<UnrolledAttributes>(unrolledOp, [...inputs, ...inside], attributes, result);
  return withState ? separated(node, attributes) : { output: node, state: [] };
}

const inReadingOrder = <Part>(parts: readonly Part[], reverse: boolean): readonly Part[] =>
  reverse ? parts.toReversed() : parts;

/** What the result consists of: one result for both outputs and states, since a node has one gradient. */
function partsOf(
  { sequences, reverse }: Pick<UnrolledAttributes, "sequences" | "reverse">,
  outputs: readonly Tensor[],
  others: readonly Tensor[],
): readonly Tensor[] {
  return [...(sequences ? inReadingOrder(outputs, reverse) : outputs.slice(-1)), ...others];
}

const isStacked = ({ sequences, others }: UnrolledAttributes): boolean => sequences || others > 0;

/** The output and the state in a result. */
function separated(node: Tensor, attributes: UnrolledAttributes): Unrolled {
  if (!isStacked(attributes)) return { output: node, state: [node] };
  const { sequences, reverse, others } = attributes;
  const parts = stepsOf(node);
  const count = parts.length - others;
  const last = parts[reverse ? 0 : count - 1]!;
  const ofAll = others > 0 ? slice(node, [undefined, { end: count }]) : node;
  return { output: sequences ? ofAll : last, state: [last, ...parts.slice(count)] };
}

interface ProductParts {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  /** A tensor of the shape of the product. */
  readonly like: Tensor;
  readonly precision: Precision;
}

/** The product with the output before, which is zeros in the first step without an initial state. */
function productOf(output: Tensor | undefined, { weight, bias, like, precision }: ProductParts): Tensor | undefined {
  if (!output) return bias && broadcastTo(reshape(bias, [1, -1]), like.shape);
  const product = matmul(output, weight, { precision });
  return bias ? add(product, bias) : product;
}

/** The steps of a sequence, [batch, width] each. @param x [batch, length, width] */
function stepsOf(x: Tensor): Tensor[] {
  const [batch, length, width] = x.shape as [number, number, number];
  return Array.from({ length }, (_, step) =>
    reshape(slice(x, [undefined, { start: step, end: step + 1 }]), [batch, width]),
  );
}

const unrolledOp: GivenOp = {
  name: "unrolled",
  kind: "view",
  gradient(node, upstream) {
    const attributes = node.attributes as UnrolledAttributes;
    const { weight, start, steps, outputs, others, products } = inputsOf(node);
    const parts = partsOf(attributes, outputs, others);
    const ofParts = isStacked(attributes) ? stepsOf(upstream) : [upstream];
    const given = new Map(parts.map((part, index) => [part, ofParts[index]!]));
    const found = gradientsFrom(given, [...steps, ...products, ...start]) as Tensor[];
    const counted = splitBy(found, [steps.length, products.length, start.length]);
    const [ofSteps, ofProducts, ofStart] = counted as [Tensor[], Tensor[], Tensor[]];
    const joinedSteps = joined(ofSteps);
    const joinedProducts = products.length > 0 ? laterSteps(joinedSteps, ofSteps, ofProducts) : undefined;
    return [
      undefined,
      attributes.reverse ? flip(joinedSteps, 1) : joinedSteps,
      weightGradient(weight, [...start.slice(0, 1), ...outputs], joinedProducts, attributes.precision),
      ...(attributes.hasBias ? [sum(joinedProducts!, { axes: [0, 1] })] : []),
      ...ofStart,
    ];
  },
};

/** The inputs of a node. Steps are in the order in which they are read. */
function inputsOf({ inputs, attributes }: Tensor) {
  const { length, hasBias, initial, others } = attributes as UnrolledAttributes;
  const first = (hasBias ? 4 : 3) + initial;
  const parts = splitBy(inputs.slice(first), [initial, length, length, others, Infinity]);
  const [start, steps, own, states, products] = parts as [Tensor[], Tensor[], Tensor[], Tensor[], Tensor[]];
  return { weight: inputs[2]!, start, steps, outputs: own, others: states, products };
}

/** Parts of a list, of these sizes. */
function splitBy(tensors: readonly Tensor[], sizes: readonly number[]): Tensor[][] {
  let end = 0;
  return sizes.map((size) => tensors.slice(end, (end += size)));
}

/** The gradients of the products, [batch, steps, gates · units], which those of the steps may be. */
function laterSteps(joinedSteps: Tensor, ofSteps: readonly Tensor[], ofProducts: readonly Tensor[]): Tensor {
  const first = ofSteps.length - ofProducts.length;
  const isSame = ofProducts.every((gradient, step) => gradient === ofSteps[first + step]);
  return isSame ? slice(joinedSteps, [undefined, { start: first }]) : joined(ofProducts);
}

/**
 * Results of steps as one tensor, [batch, steps, width]. They are computed in their places in one vector, so that they are not
 * copied, and a kernel that reads all of them reads one tensor.
 * @param steps [batch, width] each
 */
function joined(steps: readonly Tensor[]): Tensor {
  const [batch, width] = steps[0]!.shape as [number, number];
  const packed = reshape(pack(steps), [steps.length, -1]);
  const values = slice(packed, [undefined, { end: batch * width }]);
  return transpose(reshape(values, [steps.length, batch, width]), [1, 0, 2]);
}

/**
 * As `joined`, for outputs, without the last one if their number is odd. The kernel of a step reads the output before it, and
 * WebGPU does not allow it to write to the same buffer. So even and odd steps are in two vectors.
 */
function joinedOutputs(outputs: readonly Tensor[]): Tensor {
  const pairs = Math.floor(outputs.length / 2);
  const [batch, units] = outputs[0]!.shape as [number, number];
  const ofParity = (parity: number) => outputs.slice(0, 2 * pairs).filter((_, step) => step % 2 === parity);
  return reshape(stack([joined(ofParity(0)), joined(ofParity(1))], 2), [batch, 2 * pairs, units]);
}

/**
 * One product over all steps that have an output before them.
 * @param outputs with that of the initial state before those of the steps, if there is one
 */
function weightGradient(
  weight: Tensor,
  outputs: readonly Tensor[],
  ofProducts: Tensor | undefined,
  precision: Precision,
): Tensor {
  if (outputs.length === 1) return multiply(weight, 0);
  const count = outputs.length - 1;
  const [units, gates] = weight.shape as [number, number];
  const before = reshape(slice(joinedOutputs(outputs), [undefined, { end: count }]), [-1, units]);
  const after = slice(ofProducts!, [undefined, { start: ofProducts!.shape[1]! - count }]);
  return matmul(before, reshape(after, [-1, gates]), { transposeLeft: true, precision });
}
