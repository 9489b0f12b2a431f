/*
 * Metrics of predictions, computed on the CPU.
 */
import { OptionError } from "../errors.ts";
import { requireCount } from "../nn/checks.ts";

/** Metrics of one class against all others. A ratio with denominator 0 is NaN. */
export interface ClassMetrics {
  readonly name: string;
  /** The fraction of the examples predicted as this class that belong to it. */
  readonly precision: number;
  /** The fraction of the examples of this class that were predicted as it. */
  readonly recall: number;
  /** The harmonic mean of precision and recall, as 2 TP / (2 TP + FP + FN). */
  readonly f1: number;
  /** Number of examples of this class. */
  readonly support: number;
}

/** Metrics of a classification. */
export interface ClassificationMetrics {
  /** The fraction of correct predictions. */
  readonly accuracy: number;
  readonly classes: readonly ClassMetrics[];
  /** The unweighted means of precision, recall and F1 over the classes, without the classes for which they are NaN. */
  readonly macro: { readonly precision: number; readonly recall: number; readonly f1: number };
  /** Numbers of examples: a row per true class, a column per predicted class. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * The predicted class of each example. With several outputs it is the index of the largest one (of the first among
 * equals, or of the first NaN, as in `argmax`); with a single output it is 1 from `threshold` on, and 0 below.
 * @param outputs rows of `width` values, as `predict` returns them
 * @param threshold 0.5 by default, for outputs in [0, 1]; use 0 for logits
 * @throws OptionError if the number of outputs is not a multiple of `width`
 */
export function predictedClasses(outputs: Float32Array, width: number, threshold = 0.5): Uint32Array {
  requireCount("predictedClasses width", width);
  if (outputs.length % width !== 0) {
    const what = `${outputs.length} outputs are not a multiple of the width ${width}`;
    throw new OptionError({ where: "predictedClasses", what, fix: `Give ${width} outputs per example` });
  }
  return Uint32Array.from({ length: outputs.length / width }, (_, example) => {
    if (width === 1) return outputs[example]! >= threshold ? 1 : 0;
    const row = outputs.subarray(example * width, (example + 1) * width);
    const firstNaN = row.findIndex(Number.isNaN);
    return firstNaN >= 0 ? firstNaN : row.reduce((best, value, index) => (value > row[best]! ? index : best), 0);
  });
}

/**
 * Counts how often each class was predicted as each class.
 * @param labels true classes, in 0 … classes − 1
 * @param predictions predicted classes, one per label
 * @returns a row per true class, a column per predicted class
 * @throws OptionError if the numbers of labels and predictions differ
 */
export function confusionMatrix(labels: Uint32Array, predictions: Uint32Array, classes: number): number[][] {
  requireSameLength(labels.length, predictions.length);
  const result = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, index) => result[label]![predictions[index]!]!++);
  return result;
}

/**
 * Accuracy, and precision, recall and F1 of each class, from a confusion matrix (Sokolova and Lapalme 2009, table 3; F1
 * of van Rijsbergen 1979, chapter 7, with equal weights).
 * @param confusion a row per true class, a column per predicted class
 * @param names the names of the classes
 */
export function classificationMetrics(
  confusion: readonly (readonly number[])[],
  names: readonly string[],
): ClassificationMetrics {
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const classes = names.map((name, index): ClassMetrics => {
    const right = confusion[index]![index]!;
    const support = total(confusion[index]!);
    const said = total(confusion.map((row) => row[index]!));
    return { name, precision: right / said, recall: right / support, f1: (2 * right) / (support + said), support };
  });
  const macroOf = (metric: "precision" | "recall" | "f1") => {
    const known = classes.map((values) => values[metric]).filter((value) => !Number.isNaN(value));
    return total(known) / known.length;
  };
  return {
    accuracy: total(confusion.map((row, index) => row[index]!)) / total(confusion.map(total)),
    classes,
    macro: { precision: macroOf("precision"), recall: macroOf("recall"), f1: macroOf("f1") },
    confusion,
  };
}

/** Metrics of a regression with one output. */
export interface RegressionMetrics {
  /**
   * The coefficient of determination, 1 − Σ(y − ŷ)² / Σ(y − ȳ)²: 1 is perfect, 0 as good as always predicting the mean,
   * below 0 worse. NaN if all targets are equal.
   */
  readonly r2: number;
  /** The root mean square error, √(mean (y − ŷ)²), in the unit of the targets. */
  readonly rmse: number;
  /** The mean absolute error, mean |y − ŷ|, in the unit of the targets. */
  readonly mae: number;
}

/**
 * R² (the coefficient of determination: Draper and Smith 1998, equation 1.3.6), root mean square error and mean
 * absolute error of one output.
 * @throws OptionError if the numbers of targets and predictions differ
 */
export function regressionMetrics(targets: Float32Array, predictions: Float32Array): RegressionMetrics {
  requireSameLength(targets.length, predictions.length);
  const count = targets.length;
  const mean = targets.reduce((sum, target) => sum + target, 0) / count;
  const variation = targets.reduce((sum, target) => sum + (target - mean) ** 2, 0);
  const squares = targets.reduce((sum, target, index) => sum + (target - predictions[index]!) ** 2, 0);
  const distances = targets.reduce((sum, target, index) => sum + Math.abs(target - predictions[index]!), 0);
  return {
    r2: variation > 0 ? 1 - squares / variation : NaN,
    rmse: Math.sqrt(squares / count),
    mae: distances / count,
  };
}

function requireSameLength(expected: number, found: number): void {
  if (expected === found) return;
  throw new OptionError({
    where: "metrics",
    what: `the numbers of true values (${expected}) and predictions (${found}) differ`,
    fix: "Give one prediction per example",
  });
}
