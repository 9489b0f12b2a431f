/*
 * Metrics of a classification: those of the predictions, and how well the outputs rank the examples.
 */
import type { ClassificationDataset } from "../../data/dataset.ts";
import type { LossName, TrainingLoss } from "../../nn/losses.ts";
import {
  bestThreshold,
  classesByThreshold,
  classificationMetrics,
  confusionMatrix,
  positiveScores,
  rocAuc,
  rocAucOneVsRest,
  type BestThreshold,
  type ClassificationMetrics,
} from "../../train/index.ts";
import { classShares } from "../../train/outputs.ts";
import { takesThreshold } from "../../train/two-classes.ts";
import { field, percent, shortNumber } from "./text.ts";

/** How a model's outputs become classes. */
export interface ClassRule {
  readonly loss: LossName | TrainingLoss;
  /** See `classesByThreshold`. */
  readonly threshold: number | undefined;
}

/** The areas under the receiver operating characteristic, and thresholds that would be better. */
export interface Ranking {
  /** The area of the second of two classes; of more classes, the mean area of each against the rest. */
  readonly rocAuc: number;
  /** The area of each class against the rest, for more than two classes. */
  readonly rocAucOfClasses?: readonly number[];
  /** For two classes whose model takes a threshold: the thresholds with the largest F1 of the second class and Youden's J. */
  readonly bestThresholds?: { readonly f1: BestThreshold; readonly youden: BestThreshold };
}

export interface ClassOutcome {
  readonly classification: ClassificationMetrics;
  /** Undefined if an output is not finite, or only one class has examples. */
  readonly ranking: Ranking | undefined;
}

/**
 * Measures the outputs of a model.
 * @param outputs the outputs for the examples of `data`, row-major
 */
export function measureClasses(data: ClassificationDataset, outputs: Float32Array, rule: ClassRule): ClassOutcome {
  const { labels, classes, count } = data;
  const predictions = classesByThreshold(outputs, outputs.length / count, rule.loss, rule.threshold);
  const confusion = confusionMatrix(labels, predictions, classes.length);
  return { classification: classificationMetrics(confusion, classes), ranking: rankingOf(data, outputs, rule.loss) };
}

/** How well outputs rank examples; undefined if an output is not finite, or only one class has examples. */
export function rankingOf(
  { labels, classes, count }: ClassificationDataset,
  outputs: Float32Array,
  loss: ClassRule["loss"],
): Ranking | undefined {
  if (!outputs.every(Number.isFinite)) return undefined;
  const width = outputs.length / count;
  if (classes.length !== 2) {
    const areas = rocAucOneVsRest(labels, classShares(outputs, width, loss) ?? outputs, width);
    return Number.isNaN(areas.macro) ? undefined : { rocAuc: areas.macro, rocAucOfClasses: areas.classes };
  }
  const scores = positiveScores(outputs, width, loss);
  const area = rocAuc(labels, scores);
  if (Number.isNaN(area)) return undefined;
  const [f1, youden] = (["f1", "youden"] as const).map((criterion) => bestThreshold(labels, scores, criterion));
  return { rocAuc: area, ...(f1 && youden && takesThreshold(width, loss) && { bestThresholds: { f1, youden } }) };
}

/** The area as text, such as "0.987". */
export const aucText = (area: number): string => area.toFixed(3);

/** The area, and what it is a mean of, if it is. */
export const rocAucText = ({ rocAuc: area, rocAucOfClasses }: Ranking): string =>
  rocAucOfClasses
    ? `${aucText(area)} (mean of ${rocAucOfClasses.length} classes, each against the rest)`
    : aucText(area);

/** The ranking as lines of a command's output. */
export function rankingText(ranking: Ranking, { classes }: ClassificationMetrics): string[] {
  const lines = field("ROC AUC", rocAucText(ranking));
  if (!ranking.bestThresholds) return lines;
  const { f1, youden } = ranking.bestThresholds;
  return [
    ...lines,
    ...field("best F1", `${percent(f1.value)} of ${classes[1]!.name}, at --threshold ${shortNumber(f1.threshold)}`),
    ...field("best J", `${youden.value.toFixed(3)} (Youden's), at --threshold ${shortNumber(youden.threshold)}`),
  ];
}
