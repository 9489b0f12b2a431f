import { GraphError } from "../../errors.ts";
import { refuseOtherOptions } from "../../option-names.ts";
import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { reductionOf, type AnchorTraits } from "../../graph/traits.ts";
import { rootOf } from "../../graph/views.ts";
import { add, exp, isNotFinite, log, multiply, select, subtract } from "../elementwise/arithmetic.ts";
import { normalAxis } from "../indexing/axes.ts";
import { reshape, stopGradient, transpose } from "../layout/index.ts";
import { checkedAxes, max, sum, type ReduceOptions } from "../reduce/index.ts";

const overClasses = { axes: -1, keepAxes: true } as const;

/** Ops on the same rows of logits can be fused if they use the same labels or none. Argmax is one of them. */
const rowTraits: AnchorTraits = {
  kind: "anchor",
  canFuse(members, other) {
    if (members.some(({ op }) => op === other.op)) return false;
    const classes = members[0]!.inputs[0]!.shape.at(-1);
    const reduction = reductionOf(other);
    const isArgmax = reduction?.operation === "argmax" && reduction.inner === 1 && reduction.count === classes;
    if (!isArgmax && other.op.traits !== rowTraits) return false;
    return members.every(({ inputs }) =>
      other.inputs.every((input, position) => !inputs[position] || rootOf(input) === rootOf(inputs[position])),
    );
  },
};

const softmaxOp: ComputeOp = {
  name: "softmax",
  kind: "compute",
  traits: rowTraits,
  gradient: (node, upstream) => [multiply(node, subtract(upstream, sum(multiply(upstream, node), overClasses)))],
};

const logSoftmaxOp: ComputeOp = {
  name: "logSoftmax",
  kind: "compute",
  traits: rowTraits,
  gradient: (node, upstream) => [subtract(upstream, multiply(exp(node), sum(upstream, overClasses)))],
};

export interface SoftmaxOptions {
  /** The axis of the classes, the last by default; negative ones count from the last. */
  readonly axis?: number;
}

/** The kernels work along the last axis. For another axis, the logits and the result are transposed. */
function alongAxis(op: ComputeOp, logits: Tensor, options: SoftmaxOptions): Tensor {
  requireType(op.name, logits, "float32");
  refuseOtherOptions(op.name, options, { axis: true });
  const { axis = -1 } = options;
  if (logits.shape.length === 0) {
    throw new GraphError({
      where: op.name,
      what: `${logits} has no axis of classes`,
      fix: "Give logits with at least one axis",
    });
  }
  const at = normalAxis(op.name, logits, axis);
  const last = logits.shape.length - 1;
  if (at === last) return new Tensor(op, [logits], {}, logits);
  const order = logits.shape.map((_, position) => (position === at ? last : position === last ? at : position));
  const moved = transpose(logits, order);
  return transpose(new Tensor(op, [moved], {}, moved), order);
}

/** e^(zᵢ − max z) / Σⱼ e^(zⱼ − max z) along an axis (Goodfellow, Bengio and Courville 2016, equation 4.1). */
export const softmax = (logits: Tensor, options: SoftmaxOptions = {}): Tensor => alongAxis(softmaxOp, logits, options);

/** The logarithm of the softmax along an axis, zᵢ − max z − ln Σⱼ e^(zⱼ − max z). */
export const logSoftmax = (logits: Tensor, options: SoftmaxOptions = {}): Tensor =>
  alongAxis(logSoftmaxOp, logits, options);

/**
 * ln Σⱼ e^(zⱼ) over axes, all by default, computed as max z + ln Σⱼ e^(zⱼ − max z) to avoid overflow. If the largest
 * element is infinite, so is the result.
 */
export function logSumExp(x: Tensor, options: ReduceOptions = {}): Tensor {
  const axes = checkedAxes("logSumExp", x, options);
  const { keepAxes = false } = options;
  const largest = stopGradient(max(x, { axes, keepAxes: true }));
  const shift = select(isNotFinite(largest), 0, largest);
  const total = sum(exp(subtract(x, shift)), { axes, keepAxes: true });
  const result = add(log(total), shift);
  return keepAxes ? result : reshape(result, sum(x, { axes }).shape);
}

/** Labels, the second input, must be below the number of classes. */
const labelLimits = (node: Tensor) => [undefined, node.inputs[0]!.shape.at(-1)];

const crossEntropyOp: ComputeOp = {
  name: "softmaxCrossEntropy",
  kind: "compute",
  traits: rowTraits,
  indexLimits: labelLimits,
  gradient: (node, upstream) => {
    const [logits, labels] = node.inputs as [Tensor, Tensor];
    return [new Tensor(crossEntropyGradientOp, [logits, labels, upstream], {}, logits), undefined];
  },
};

const crossEntropyGradientOp: ComputeOp = {
  name: "softmaxCrossEntropyGradient",
  kind: "compute",
  traits: rowTraits,
  indexLimits: labelLimits,
};

/**
 * The cross-entropy of each example, −ln softmax(z)[label], computed from the logits in one op.
 * @param logits [examples, classes]
 * @param labels uint32 [examples], each below the number of classes
 * @returns [examples]
 * @throws GraphError for other shapes or types
 */
export function softmaxCrossEntropyPerExample(logits: Tensor, labels: Tensor): Tensor {
  const where = "softmaxCrossEntropy";
  requireType(where, logits, "float32");
  requireType(where, labels, "uint32");
  if (logits.shape.length !== 2 || labels.shape.length !== 1 || labels.shape[0] !== logits.shape[0]) {
    throw new GraphError({
      where,
      what: `logits ${logits} and labels ${labels} do not fit`,
      fix: "Give logits [examples, classes] and integer labels [examples]",
    });
  }
  return new Tensor(crossEntropyOp, [logits, labels], {}, { shape: labels.shape, dtype: "float32" });
}
