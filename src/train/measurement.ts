/*
 * What a trained network is measured by on a part of the data: the loss, and the metrics of its kind of task.
 */
import { isRegression, type Dataset, type RegressionDataset } from "../data/dataset.ts";
import { inUnitsOf } from "../data/table-data.ts";
import type { TableSchema } from "../data/table-schema.ts";
import type { TextDataset } from "../data/text/dataset.ts";
import { isText } from "../data/text/windows.ts";
import type { Facts } from "../formats/metadata.ts";
import type { LossName, TrainingLoss } from "../nn/losses.ts";
import { bitsPerCharacter, perplexity } from "../nn/metrics.ts";
import type { Evaluation } from "./evaluate.ts";
import { classificationMetrics, confusionMatrix, regressionMetrics, type RegressionMetrics } from "./metrics.ts";
import type { Trainer } from "./trainer.ts";
import { classesByThreshold } from "./two-classes.ts";

/** The metrics of one of several targets. */
export interface TargetMetrics extends RegressionMetrics {
  readonly name: string;
}

export interface RegressionOutcome {
  /** The metrics of a single target, or the means over several, as in scikit-learn by default. */
  readonly regression: RegressionMetrics;
  /** The metrics of each target if there are several; otherwise empty. */
  readonly targets: readonly TargetMetrics[];
}

/**
 * Measures predictions in the units of the label columns.
 * @param outputs the model's outputs for the examples of `data`, row-major
 * @param table converts standardized values back to units; undefined leaves them unchanged
 */
export function measureRegression(
  data: RegressionDataset,
  outputs: Float32Array,
  table: TableSchema | undefined,
): RegressionOutcome {
  const names = data.outputs;
  const [wanted, predicted] = [inUnitsOf(table, data.targets), inUnitsOf(table, outputs)];
  const column = (values: Float32Array, index: number) => values.filter((_, at) => at % names.length === index);
  const targets = names.map((name, index) => ({
    name,
    ...regressionMetrics(column(wanted, index), column(predicted, index)),
  }));
  if (targets.length === 1) return { regression: regressionMetrics(wanted, predicted), targets: [] };
  const mean = (metric: "r2" | "rmse" | "mae") =>
    targets.reduce((sum, target) => sum + target[metric], 0) / targets.length;
  return { regression: { r2: mean("r2"), rmse: mean("rmse"), mae: mean("mae") }, targets };
}

/** The loss of a language model in other units. */
export interface LanguageMetrics {
  /** e to the loss of a token. */
  readonly perplexity: number;
  readonly bitsPerCharacter: number;
}

/** The metrics of a model with a mean loss per token, in nats, on a text. */
export const measureLanguage = (loss: number, text: TextDataset): LanguageMetrics => ({
  perplexity: perplexity(loss),
  bitsPerCharacter: bitsPerCharacter(loss, tokensPerCharacter(text)),
});

function tokensPerCharacter({ tokens, tokenizer }: TextDataset): number {
  if (tokenizer.config.type === "characters") return 1;
  let characters = 0;
  for (const _ of tokenizer.decode(tokens)) characters++;
  return tokens.length / characters;
}

/** What was measured. */
export interface Measurement {
  readonly evaluation: Evaluation;
  /** For regression, in the units of the targets; means if there are several. */
  readonly regression: RegressionMetrics | undefined;
  /** For regression with several targets, the metrics of each in its own units; otherwise empty. */
  readonly targets: readonly TargetMetrics[];
  /** For text. */
  readonly language: LanguageMetrics | undefined;
}

/** How outputs are understood. */
export interface MeasuringOptions {
  readonly loss: LossName | TrainingLoss;
  /** See `classesByThreshold`. */
  readonly threshold?: number | undefined;
  /** Converts standardized targets back to units. */
  readonly table?: TableSchema | undefined;
}

/** Measures a trained network on examples. */
export async function measureTrained(
  trainer: Trainer,
  examples: Dataset | TextDataset,
  { loss, threshold, table }: MeasuringOptions,
): Promise<Measurement> {
  const evaluation = await trainer.evaluate(examples);
  const measured = { evaluation, regression: undefined, targets: [], language: undefined };
  if (isText(examples)) return { ...measured, language: measureLanguage(evaluation.loss, examples) };
  if (isRegression(examples))
    return { ...measured, ...measureRegression(examples, await trainer.predict(examples.features), table) };
  if (threshold === undefined) return measured;
  const outputs = await trainer.predict(examples.features);
  const { labels, classes, count } = examples;
  const predictions = classesByThreshold(outputs, outputs.length / count, loss, threshold);
  const { accuracy } = classificationMetrics(confusionMatrix(labels, predictions, classes.length), classes);
  return { ...measured, evaluation: { ...evaluation, accuracy } };
}

/** The results as the model's file stores them. */
export function resultFacts(data: string, { evaluation, regression, targets, language }: Measurement): Facts {
  const ofTargets = targets.flatMap(({ name, r2, rmse, mae }) => [
    [`r2.${name}`, r2],
    [`rmse.${name}`, rmse],
    [`mae.${name}`, mae],
  ]);
  return { data, ...evaluation, ...regression, ...language, ...Object.fromEntries(ofTargets) };
}
