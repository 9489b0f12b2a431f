import { Tensor, type GivenOp } from "../../graph/tensor.ts";
import { add, multiply } from "../elementwise/index.ts";
import { gradientsFrom } from "../gradients.ts";
import { slice, stack } from "../indexing/index.ts";
import { broadcastTo, pack, reshape, stopGradient, transpose } from "../layout/index.ts";
import { matmul } from "../matmul/index.ts";
import type { Precision } from "../../precisions.ts";
import { sum } from "../reduce/index.ts";

/**
 * One step of a recurrent network.
 * @param step the input's part of the gates, [batch, gates · units]
 * @param product the part of the output before, of the same shape; undefined in the first step of a network without a
 * recurrent bias
 * @param before the results of the step before; empty in the first step
 * @returns the output, [batch, units], and any other state
 */
export type Cell = (step: Tensor, product: Tensor | undefined, before: readonly Tensor[]) => Tensor[];

interface UnrolledOptions {
  readonly cell: Cell;
  readonly sequences: boolean;
  readonly precision: Precision;
}

/** What the gradient needs of the steps, which are inputs of the node by these numbers. */
interface UnrolledAttributes {
  readonly length: number;
  readonly sequences: boolean;
  readonly hasBias: boolean;
  readonly precision: Precision;
}

/** Applies a cell to all steps. @param projected [batch, length, gates · units] */
export function unrolled(
  projected: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  { cell, sequences, precision }: UnrolledOptions,
): Tensor {
  // The gradient of the node below reaches the input. It must not do so through the steps as well.
  const steps = stepsOf(stopGradient(projected));
  const products: Tensor[] = [];
  const outputs: Tensor[] = [];
  let before: readonly Tensor[] = [];
  for (const step of steps) {
    const product = productOf(before[0], { weight, bias, like: step, precision });
    if (product) products.push(product);
    before = cell(step, product, before);
    outputs.push(before[0]!);
  }
  const result = sequences ? stack(outputs, 1) : outputs.at(-1)!;
  const inputs = [result, projected, weight, ...(bias ? [bias] : []), ...steps, ...outputs, ...products];
  const attributes = { length: steps.length, sequences, hasBias: bias !== undefined, precision };
  return new Tensor<UnrolledAttributes>(unrolledOp, inputs, attributes, result);
}

interface ProductParts {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  /** A tensor of the shape of the product. */
  readonly like: Tensor;
  readonly precision: Precision;
}

/** The product with the output before, which is zeros in the first step. */
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
    const { length, sequences, hasBias, precision } = node.attributes as UnrolledAttributes;
    const weight = node.inputs[2]!;
    const parts = node.inputs.slice(hasBias ? 4 : 3);
    const [steps, outputs, products] = [
      parts.slice(0, length),
      parts.slice(length, 2 * length),
      parts.slice(2 * length),
    ];
    const given = sequences
      ? new Map(stepsOf(upstream).map((own, step) => [outputs[step]!, own]))
      : new Map([[outputs.at(-1)!, upstream]]);
    const found = gradientsFrom(given, [...steps, ...products]) as Tensor[];
    const ofSteps = joined(found.slice(0, length));
    const ofProducts = products.length > 0 ? laterSteps(ofSteps, found, length) : undefined;
    const ofBias = hasBias ? [sum(ofProducts!, { axes: [0, 1] })] : [];
    return [undefined, ofSteps, weightGradient(weight, outputs, ofProducts, precision), ...ofBias];
  },
};

/** The gradients of the products, [batch, steps, gates · units], which those of the steps may be. */
function laterSteps(ofSteps: Tensor, found: readonly Tensor[], length: number): Tensor {
  const ofProducts = found.slice(length);
  const first = 2 * length - found.length;
  const isSame = ofProducts.every((gradient, step) => gradient === found[first + step]);
  return isSame ? slice(ofSteps, [undefined, { start: first }]) : joined(ofProducts);
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

/** One product over all steps but the first, in which the output before is 0. */
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
