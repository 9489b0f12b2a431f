/*
 * What predictions are worth, from labels and outputs on the CPU.
 */
import { OptionError } from "../errors.ts";

/** Of one class against all others. NaN where there is nothing to divide by. */
export interface ClassMetrics {
  readonly name: string;
  /** Of the examples that were said to be of this class, the share that are. */
  readonly precision: number;
  /** Of the examples of this class, the share that were said to be. */
  readonly recall: number;
  /** The harmonic mean of precision and recall, as 2 TP / (2 TP + FP + FN). */
  readonly f1: number;
  /** Number of examples of this class. */
  readonly support: number;
}

/** How good predictions of classes are. */
export interface ClassificationMetrics {
  /** The share of right predictions. */
  readonly accuracy: number;
  readonly classes: readonly ClassMetrics[];
  /** The means of precision, recall and F1 over the classes, each class counted alike; of those that have the number. */
  readonly macro: { readonly precision: number; readonly recall: number; readonly f1: number };
  /** Row by true class, column by predicted class: numbers of examples. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * The class that each example's outputs stand for: of several outputs the largest (of equal ones the first, or
 * of NaN, as in argmax); of a single output class 1 from `threshold` on, else class 0.
 * @param outputs rows of `width` values, such as `predict` returns
 * @param threshold 0.5 by default, which suits outputs in [0, 1]; 0 suits logits
 */
export function predictedClasses(outputs: Float32Array, width: number, threshold = 0.5): Uint32Array {
  return Uint32Array.from({ length: outputs.length / width }, (_, example) => {
    if (width === 1) return outputs[example]! >= threshold ? 1 : 0;
    const row = outputs.subarray(example * width, (example + 1) * width);
    const firstNaN = row.findIndex(Number.isNaN);
    return firstNaN >= 0 ? firstNaN : row.reduce((best, value, index) => (value > row[best]! ? index : best), 0);
  });
}

/**
 * How often each class was taken for each.
 * @param labels true classes, in 0 … classes − 1
 * @param predictions predicted classes, as many
 * @returns row by true class, column by predicted class
 * @throws OptionError where their numbers differ
 */
export function confusionMatrix(labels: Uint32Array, predictions: Uint32Array, classes: number): number[][] {
  requireSameLength(labels.length, predictions.length);
  const result = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, index) => result[label]![predictions[index]!]!++);
  return result;
}

/**
 * Accuracy, and precision, recall and F1 of each class, from a confusion matrix (Sokolova and Lapalme 2009, table 3;
 * F1 of van Rijsbergen 1979, chapter 7, with equal weights).
 * @param confusion row by true class, column by predicted class
 * @param names the classes' names
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

/** How good predictions of one quantity are. */
export interface RegressionMetrics {
  /**
   * The share of the targets' variance that the predictions explain, 1 − Σ(y − ŷ)² / Σ(y − ȳ)²: 1 is perfect, 0 as good
   * as always saying the mean, below 0 worse. NaN where all targets are equal.
   */
  readonly r2: number;
  /** √(mean (y − ŷ)²), in the unit of the targets. */
  readonly rmse: number;
  /** mean |y − ŷ|, in the unit of the targets. */
  readonly mae: number;
}

/**
 * R² (the coefficient of determination: Draper and Smith 1998, equation 1.3.6), root mean square error and mean
 * absolute error of one quantity.
 * @throws OptionError where the numbers of targets and predictions differ
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
    what: `${expected} answers but ${found} predictions`,
    fix: "Give one prediction for each example",
  });
}
