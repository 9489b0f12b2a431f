/*
 * The results of all folds: means and standard deviations.
 */
import { percent } from "../../text.ts";
import { aucText } from "../text/class-metrics.ts";
import { field, fourDigits, lossText, r2Text } from "../text/text.ts";
import type { Outcome } from "../training/training-run.ts";

/** The metrics of one fold. */
export interface FoldScores {
  readonly outcome: Outcome;
  /** The area under the receiver operating characteristic; undefined where it has no meaning. */
  readonly rocAuc: number | undefined;
}

interface Spread {
  readonly mean: number;
  /** Of a sample: the squares are divided by n − 1. */
  readonly deviation: number;
}

function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

type Numbers = (result: FoldScores) => number | undefined;

/** A line for each metric with its mean ± standard deviation over the folds; folds without the metric are left out. */
export function summaryText(results: readonly FoldScores[]): string[] {
  const isRegression = results.some(({ outcome }) => outcome.regression !== undefined);
  const metrics: readonly (readonly [name: string, numbers: Numbers, text: (value: number) => string])[] = isRegression
    ? [
        ["R²", ({ outcome }) => outcome.regression?.r2, r2Text],
        ["RMSE", ({ outcome }) => outcome.regression?.rmse, fourDigits],
        ["MAE", ({ outcome }) => outcome.regression?.mae, fourDigits],
      ]
    : [
        ["accuracy", ({ outcome }) => outcome.evaluation.accuracy, percent],
        ["ROC AUC", ({ rocAuc }) => rocAuc, aucText],
      ];
  const loss = ["loss", ({ outcome }: FoldScores) => outcome.evaluation.loss, lossText] as const;
  return [...metrics, loss].flatMap(([name, numbers, text]) => {
    const values = results.map(numbers).filter((value) => value !== undefined && !Number.isNaN(value)) as number[];
    if (values.length === 0) return [];
    const { mean, deviation } = spreadOf(values);
    const spread = values.length > 1 ? ` ± ${text(deviation)}` : "";
    return field(name, `${text(mean)}${spread} (mean ± standard deviation of ${values.length} folds)`);
  });
}
