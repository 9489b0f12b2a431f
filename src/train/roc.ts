/*
 * How well scores separate two classes at every threshold, computed on the CPU.
 */
import { OptionError } from "../errors.ts";

/** A receiver operating characteristic. Its points go from (0, 0) to (1, 1), one for each different score. */
export interface RocCurve {
  /** An example is predicted as positive if its score is at least the threshold; descending, the first is infinite. */
  readonly thresholds: Float64Array;
  /** The fraction of the negative examples that are predicted as positive; NaN without negative examples. */
  readonly falsePositiveRates: Float64Array;
  /** The fraction of the positive examples that are predicted as positive; NaN without positive examples. */
  readonly truePositiveRates: Float64Array;
}

/** How many examples are predicted as positive at each threshold. */
interface Counts {
  /** The different scores, descending. */
  readonly scores: readonly number[];
  readonly truePositives: readonly number[];
  readonly falsePositives: readonly number[];
  readonly positives: number;
  readonly negatives: number;
}

function countsOf(where: string, labels: ArrayLike<number>, scores: ArrayLike<number>): Counts {
  requireScores(where, labels, scores);
  const order = Array.from({ length: scores.length }, (_, example) => example);
  order.sort((a, b) => scores[b]! - scores[a]!);
  const different: number[] = [];
  const [truePositives, falsePositives]: [number[], number[]] = [[], []];
  let [right, wrong] = [0, 0];
  order.forEach((example, place) => {
    if (labels[example] === 1) right++;
    else wrong++;
    // Examples with equal scores are predicted alike, so they share a point.
    const next = order[place + 1];
    if (next !== undefined && scores[next] === scores[example]) return;
    different.push(scores[example]!);
    truePositives.push(right);
    falsePositives.push(wrong);
  });
  return { scores: different, truePositives, falsePositives, positives: right, negatives: wrong };
}

function requireScores(where: string, labels: ArrayLike<number>, scores: ArrayLike<number>): void {
  if (labels.length !== scores.length) {
    const what = `the numbers of labels (${labels.length}) and scores (${scores.length}) differ`;
    throw new OptionError({ where, what, fix: "Give one score per label" });
  }
  for (let example = 0; example < labels.length; example++) {
    const [label, score] = [labels[example]!, scores[example]!];
    if (label !== 0 && label !== 1) {
      const what = `label ${label} of example ${example} is neither 0 nor 1`;
      throw new OptionError({ where, what, fix: "Give 1 for positive examples and 0 for negative ones" });
    }
    if (Number.isNaN(score))
      throw new OptionError({ where, what: `the score of example ${example} is NaN`, fix: "Give numbers" });
  }
}

/**
 * The receiver operating characteristic (Fawcett 2006, algorithm 1). Examples with equal scores share a point.
 * @param labels 1 for positive examples, 0 for negative ones
 * @param scores one per label; larger scores mean that an example is more likely positive
 * @throws OptionError for another number of scores, a label that is neither 0 nor 1, or a score that is NaN
 */
export function rocCurve(labels: ArrayLike<number>, scores: ArrayLike<number>): RocCurve {
  const counts = countsOf("rocCurve", labels, scores);
  const rates = (values: readonly number[], all: number) => Float64Array.of(0, ...values).map((value) => value / all);
  return {
    thresholds: Float64Array.of(Infinity, ...counts.scores),
    falsePositiveRates: rates(counts.falsePositives, counts.negatives),
    truePositiveRates: rates(counts.truePositives, counts.positives),
  };
}

/**
 * The area under the receiver operating characteristic: the probability that a positive example has a larger score than a
 * negative one, where equal scores count half (Hanley and McNeil 1982). 1 is perfect, 0.5 is chance.
 * @param labels 1 for positive examples, 0 for negative ones
 * @param scores one per label
 * @returns NaN if there are no positive or no negative examples
 * @throws OptionError as `rocCurve` does
 */
export function rocAuc(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  const { truePositives, falsePositives, positives, negatives } = countsOf("rocAuc", labels, scores);
  let twice = 0;
  falsePositives.forEach((wrong, point) => {
    const [rightBefore, wrongBefore] = [truePositives[point - 1] ?? 0, falsePositives[point - 1] ?? 0];
    twice += (wrong - wrongBefore) * (truePositives[point]! + rightBefore);
  });
  return twice / (2 * positives * negatives);
}

/** The areas of each class against all others, and their mean. */
export interface OneVsRestAuc {
  /** One per class; NaN for a class without examples, or with all of them. */
  readonly classes: readonly number[];
  /** The unweighted mean over the classes whose area is not NaN. */
  readonly macro: number;
}

/**
 * The area under the receiver operating characteristic of each class against all others, and their unweighted mean, as
 * `roc_auc_score(…, multi_class="ovr")` of scikit-learn.
 * @param labels true classes, in 0 … classes − 1
 * @param scores rows of `classes` scores, such as probabilities
 * @throws OptionError as `rocCurve` does
 */
export function rocAucOneVsRest(labels: Uint32Array, scores: ArrayLike<number>, classes: number): OneVsRestAuc {
  if (scores.length !== labels.length * classes) {
    const what = `${scores.length} scores for ${labels.length} labels and ${classes} classes`;
    throw new OptionError({ where: "rocAucOneVsRest", what, fix: `Give ${classes} scores per label` });
  }
  const areas = Array.from({ length: classes }, (_, index) =>
    rocAuc(
      labels.map((label) => Number(label === index)),
      Float64Array.from(labels, (__, example) => scores[example * classes + index]!),
    ),
  );
  const known = areas.filter((area) => !Number.isNaN(area));
  return { classes: areas, macro: known.reduce((sum, area) => sum + area, 0) / known.length };
}

/** What a threshold is chosen by. */
export type ThresholdCriterion = "f1" | "youden";

/** A threshold and the value of its criterion. */
export interface BestThreshold {
  readonly threshold: number;
  readonly value: number;
}

/**
 * The threshold with the largest F1 of the positive class, 2 TP / (2 TP + FP + FN), or with the largest J of Youden
 * (1950), the true positive rate − the false positive rate. Among equals it is the largest threshold. It lies halfway
 * between the smallest score that is predicted as positive and the next one.
 * @param labels 1 for positive examples, 0 for negative ones
 * @param scores one per label
 * @returns undefined if there are no positive or no negative examples
 * @throws OptionError as `rocCurve` does
 */
export function bestThreshold(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  criterion: ThresholdCriterion,
): BestThreshold | undefined {
  const counts = countsOf("bestThreshold", labels, scores);
  const { truePositives, falsePositives, positives, negatives } = counts;
  if (positives === 0 || negatives === 0) return undefined;
  const values = truePositives.map((right, point) => {
    const wrong = falsePositives[point]!;
    return criterion === "f1" ? (2 * right) / (right + wrong + positives) : right / positives - wrong / negatives;
  });
  const best = values.reduce((most, value, point) => (value > values[most]! ? point : most), 0);
  const score = counts.scores[best]!;
  return { threshold: (score + (counts.scores[best + 1] ?? score)) / 2, value: values[best]! };
}
