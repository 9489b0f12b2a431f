import { GraphError } from "../../errors.ts";
import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { reductionOf, type AnchorTraits } from "../../graph/traits.ts";
import { rootOf } from "../../graph/views.ts";
import { exp, multiply, subtract } from "../elementwise/arithmetic.ts";
import { sum } from "../reduce/index.ts";

const overClasses = { axes: -1, keepAxes: true } as const;

/**
 * Other results of the same rows of logits can be fused, if they use the same labels or none. An argmax is one of them.
 */
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

function overLastAxis(op: ComputeOp, logits: Tensor): Tensor {
  requireType(op.name, logits, "float32");
  if (logits.shape.length === 0) {
    throw new GraphError({
      where: op.name,
      what: `${logits} has no axis of classes`,
      fix: "Give logits with at least one axis",
    });
  }
  return new Tensor(op, [logits], {}, logits);
}

/** e^(zᵢ − max z) / Σⱼ e^(zⱼ − max z) along the last axis (Goodfellow, Bengio and Courville 2016, equation 4.1). */
export const softmax = (logits: Tensor): Tensor => overLastAxis(softmaxOp, logits);

/** The logarithm of the softmax along the last axis, zᵢ − max z − ln Σⱼ e^(zⱼ − max z). */
export const logSoftmax = (logits: Tensor): Tensor => overLastAxis(logSoftmaxOp, logits);

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
 * The cross-entropy of each example's softmax, −ln softmax(z)[label], from the logits in one op.
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
