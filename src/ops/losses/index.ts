import { GraphError } from "../../errors.ts";
import { constant, requireHeld } from "../../graph/leaves.ts";
import { requireType, sameShape, sizeOf, type Tensor } from "../../graph/tensor.ts";
import { toIndex } from "../convert/index.ts";
import {
  abs,
  add,
  equal,
  less,
  log,
  maximum,
  minimum,
  multiply,
  negate,
  notEqual,
  select,
  square,
  subtract,
  toFloat,
} from "../elementwise/arithmetic.ts";
import { elementwise } from "../elementwise/function.ts";
import { relu, sigmoid, softplus } from "../elementwise/activations.ts";
import { takeAlong } from "../indexing/index.ts";
import { reshape } from "../layout/index.ts";
import { mean, sum } from "../reduce/index.ts";
import { logSoftmax, softmaxCrossEntropyPerExample } from "../softmax/index.ts";
import {
  outputTerms,
  reduceExamples,
  requireLossArguments,
  requireOutputWeights,
  requireSameShape,
  settingsOf,
  type LossOptions,
  type Reduction,
} from "./reduction.ts";
import { hardLabels, smoothedTargets } from "./labels.ts";

export type { LossOptions, Reduction } from "./reduction.ts";

/** A loss: maps outputs [examples, …] and targets to a scalar, or to [examples] with reduction "none". */
export type Loss = (outputs: Tensor, targets: Tensor, options?: Reduction | LossOptions) => Tensor;

/** Squared error, averaged over the outputs of an example: (1/n) Σ (ŷ − y)². */
export const meanSquaredError: Loss = (outputs, targets, options = "mean") => {
  requireSameShape("meanSquaredError", { outputs, targets, options });
  const terms = outputTerms("meanSquaredError", square(subtract(outputs, targets)), options);
  return reduceExamples("meanSquaredError", mean(terms, { axes: 1 }), options);
};

/** Half the sum of squared errors over the outputs of an example: ½ Σ (ŷ − y)² (Bishop 2006, equation 5.11). */
export const halfSumOfSquares: Loss = (outputs, targets, options = "mean") => {
  requireSameShape("halfSumOfSquares", { outputs, targets, options });
  const terms = outputTerms("halfSumOfSquares", square(subtract(outputs, targets)), options);
  return reduceExamples("halfSumOfSquares", multiply(sum(terms, { axes: 1 }), 0.5), options);
};

export interface HuberOptions extends LossOptions {
  /** The error δ at which the loss becomes linear, above 0; 1 by default. */
  readonly delta?: number;
}

/**
 * Huber loss, quadratic for small errors and linear for large ones, averaged over the outputs of an example: ½ e² where
 * |e| ≤ δ, otherwise δ (|e| − ½ δ) (Huber 1964).
 * @throws GraphError for a delta that is not above 0
 */
export function huber(outputs: Tensor, targets: Tensor, options: Reduction | HuberOptions = "mean"): Tensor {
  requireSameShape("huber", { outputs, targets, options }, { delta: true });
  const { delta = 1 } = typeof options === "string" ? {} : options;
  requireHeld("huber delta", delta);
  if (!(delta > 0)) throw new GraphError({ where: "huber", what: `delta is ${delta}`, fix: "Give a number above 0" });
  const error = subtract(outputs, targets);
  const size = abs(error);
  const line = multiply(subtract(size, delta / 2), delta);
  const values = select(less(size, delta), multiply(square(error), 0.5), line);
  return reduceExamples("huber", mean(outputTerms("huber", values, options), { axes: 1 }), options);
}

/** Absolute error, averaged over the outputs of an example: (1/n) Σ |ŷ − y|. */
export const meanAbsoluteError: Loss = (outputs, targets, options = "mean") => {
  requireSameShape("meanAbsoluteError", { outputs, targets, options });
  const terms = outputTerms("meanAbsoluteError", abs(subtract(outputs, targets)), options);
  return reduceExamples("meanAbsoluteError", mean(terms, { axes: 1 }), options);
};

/**
 * Hinge loss, averaged over the outputs of an example: max(0, 1 − t ŷ). Targets are −1 or 1 (Cortes and Vapnik 1995).
 */
export const hinge: Loss = (outputs, targets, options = "mean") => {
  requireSameShape("hinge", { outputs, targets, options });
  const terms = outputTerms("hinge", relu(subtract(1, multiply(outputs, targets))), options);
  return reduceExamples("hinge", mean(terms, { axes: 1 }), options);
};

export interface CrossEntropyOptions extends LossOptions {
  /**
   * The fraction of each target that is distributed over all classes, in [0, 1); 0 by default (Szegedy et al. 2016,
   * section 7).
   */
  readonly labelSmoothing?: number;
  /**
   * A uint32 label whose examples or positions have no loss and do not count in a mean, such as that of padding. If it is
   * a class, all labels are checked as they are without it; otherwise labels above the last class count as the last one.
   * None by default.
   */
  readonly ignore?: number;
}

/**
 * Softmax cross-entropy from logits, −Σ t ln softmax(z) (Bishop 2006, equation 4.108). There may be several axes of
 * examples, such as [batch, positions]; a mean is that over all of them, and weights have their shape.
 * @param logits [examples, classes]
 * @param labels uint32 [examples], or float32 [examples, classes]: the probability of each class
 * @param options with class weights and uint32 labels, a mean divides by the sum of the labels' weights, and with `ignore`
 * by the number of other labels, as in PyTorch: it is NaN if all labels are ignored
 * @returns a scalar, or the shape of the examples with reduction "none"
 * @throws GraphError if shapes or types do not fit, if label smoothing is outside [0, 1), or if `ignore` is not a uint32
 */
export function softmaxCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: Reduction | CrossEntropyOptions = "mean",
): Tensor {
  const where = "softmaxCrossEntropy";
  requireLossArguments(where, { outputs: logits, targets: labels, options }, { labelSmoothing: true, ignore: true });
  const settings: CrossEntropyOptions = settingsOf(options);
  const { labelSmoothing = 0, classWeights, ignore } = settings;
  const examples = logits.shape.slice(0, -1);
  if (examples.length > 1) {
    const flat = flatExamples(where, logits, labels, settings);
    const losses = softmaxCrossEntropy(flat.logits, flat.labels, flat.settings);
    return settings.reduction === "none" ? reshape(losses, examples) : losses;
  }
  if (ignore !== undefined) return withoutIgnored(where, logits, labels, { ...settings, ignore });
  if (labels.dtype === "uint32" && labelSmoothing === 0 && classWeights === undefined)
    return reduceExamples(where, softmaxCrossEntropyPerExample(logits, labels), options);
  const targets = smoothedTargets(where, logits, labels, labelSmoothing);
  const terms = outputTerms(where, negate(multiply(targets, logSoftmax(logits))), options);
  const weights = hardLabels(labels, classWeights);
  return reduceExamples(where, sum(terms, { axes: 1 }), options, weights);
}

/** The same examples along one axis. */
function flatExamples(where: string, logits: Tensor, labels: Tensor, settings: CrossEntropyOptions) {
  const examples = logits.shape.slice(0, -1);
  const classes = logits.shape.at(-1)!;
  const { weights } = settings;
  if (weights) requireType(`${where} weights`, weights, "float32");
  const wanted = labels.dtype === "uint32" ? examples : logits.shape;
  if (!sameShape(labels.shape, wanted) || (weights && !sameShape(weights.shape, examples))) {
    throw new GraphError({
      where,
      what: `logits ${logits}, labels ${labels}${weights ? ` and weights ${weights}` : ""} do not fit`,
      fix: `Give integer labels [${examples.join(", ")}] or probabilities [${logits.shape.join(", ")}], and a weight for each label`,
    });
  }
  return {
    logits: reshape(logits, [-1, classes]),
    labels: reshape(labels, labels.dtype === "uint32" ? [-1] : [-1, classes]),
    settings: { ...settings, ...(weights && { weights: reshape(weights, [-1]) }) },
  };
}

/** The loss of the examples whose label is not the ignored one. */
function withoutIgnored(
  where: string,
  logits: Tensor,
  labels: Tensor,
  { ignore, ...settings }: CrossEntropyOptions & { readonly ignore: number },
): Tensor {
  requireType(`${where} ignore`, labels, "uint32");
  const classes = logits.shape.at(-1)!;
  const counted = notEqual(equal(labels, constant(ignore, [], "uint32")), 1);
  const known = ignore < classes ? labels : toIndex(minimum(toFloat(labels), classes - 1));
  const losses = softmaxCrossEntropy(logits, known, { ...settings, reduction: "none" });
  const ofClasses = hardLabels(known, settings.classWeights);
  const reduced = { reduction: settings.reduction ?? "mean" };
  return reduceExamples(
    where,
    select(counted, losses, 0),
    reduced,
    [settings.weights, ofClasses].reduce<Tensor>((total, own) => (own ? multiply(total, own) : total), counted),
  );
}

/**
 * Negative log likelihood, −ln p[label], from logarithms of probabilities, such as those of `logSoftmax`.
 * @param logProbabilities [examples, classes]
 * @param labels uint32 [examples], each below the number of classes
 * @throws GraphError if shapes or types do not fit
 */
export const negativeLogLikelihood: Loss = (logProbabilities, labels, options = "mean") => {
  const where = "negativeLogLikelihood";
  requireLossArguments(where, { outputs: logProbabilities, targets: labels, options });
  const { classWeights } = settingsOf(options);
  if (
    logProbabilities.shape.length !== 2 ||
    labels.shape.length !== 1 ||
    labels.shape[0] !== logProbabilities.shape[0]
  ) {
    throw new GraphError({
      where,
      what: `logarithms ${logProbabilities} and labels ${labels} do not fit`,
      fix: "Give logarithms of probabilities [examples, classes] and integer labels [examples]",
    });
  }
  const own = reshape(takeAlong(logProbabilities, reshape(labels, [-1, 1]), { axis: 1 }), labels.shape);
  const weights = hardLabels(labels, classWeights);
  const losses = weights ? multiply(negate(own), weights) : negate(own);
  return reduceExamples(where, losses, options, weights);
};

/**
 * The Kullback-Leibler divergence Σ t (ln t − ln p) of each example, from logarithms of the predicted probabilities.
 * Terms with t = 0 are 0.
 * @param logProbabilities [examples, classes]
 * @param targets probabilities of the same shape
 */
export const klDivergence: Loss = (logProbabilities, targets, options = "mean") => {
  requireSameShape("klDivergence", { outputs: logProbabilities, targets, options });
  const own = multiply(targets, subtract(log(maximum(targets, 2 ** -126)), logProbabilities));
  const terms = outputTerms("klDivergence", own, options);
  return reduceExamples("klDivergence", sum(terms, { axes: 1 }), options);
};

const sigmoidCrossEntropyOp = elementwise({
  name: "sigmoidCrossEntropy",
  arity: 2,
  cpu: (z, target) => (1 - target!) * z! - Math.min(z!, 0) + Math.log1p(Math.exp(-Math.abs(z!))),
  wgsl: "sigmoid_cross_entropy",
  flops: 22,
  gradient: (upstream, [z, target]) => [
    multiply(upstream, subtract(sigmoid(z!), target!)),
    negate(multiply(upstream, z!)),
  ],
});

export interface BinaryCrossEntropyOptions extends LossOptions {
  /**
   * The weight of the term −t ln σ(z) of each output, float32 [outputs]; 1 by default. Above 1, positives that are
   * predicted too low cost more; the number of negatives divided by that of positives balances them.
   */
  readonly positiveWeights?: Tensor;
}

/**
 * Binary cross-entropy from logits, −t ln σ(z) − (1 − t) ln(1 − σ(z)), summed over the outputs of each example (Bishop
 * 2006, equation 4.90). Targets are float32 in [0, 1] and have the shape of the logits.
 * @throws GraphError if shapes or types do not fit
 */
export function sigmoidBinaryCrossEntropy(
  logits: Tensor,
  targets: Tensor,
  options: Reduction | BinaryCrossEntropyOptions = "mean",
): Tensor {
  const where = "sigmoidBinaryCrossEntropy";
  requireSameShape(where, { outputs: logits, targets, options }, { positiveWeights: true });
  const { positiveWeights }: BinaryCrossEntropyOptions = settingsOf(options);
  const values = positiveWeights
    ? weightedCrossEntropy(where, logits, targets, positiveWeights)
    : sigmoidCrossEntropyOp([logits, targets]);
  return reduceExamples(where, sum(outputTerms(where, values, options), { axes: 1 }), options);
}

/** The two terms by themselves: a sum of one with p − 1 times the other would cancel for small p. */
function weightedCrossEntropy(where: string, logits: Tensor, targets: Tensor, positiveWeights: Tensor): Tensor {
  const outputs = sizeOf(logits.shape.slice(1));
  requireOutputWeights(where, "positiveWeights", positiveWeights, outputs);
  const [z, t] = [logits, targets].map((tensor) => reshape(tensor, [-1, outputs])) as [Tensor, Tensor];
  const positive = multiply(multiply(t, positiveWeights), softplus(negate(z)));
  return add(positive, multiply(subtract(1, t), softplus(z)));
}
