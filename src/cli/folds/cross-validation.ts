/*
 * `wgrad train --folds K`: trains one model per fold on the other folds, and tests it on the fold.
 */
import { setImmediate } from "node:timers/promises";
import type { Backend } from "../../backends/backend.ts";
import { isRegression } from "../../data/dataset.ts";
import { OptionError } from "../../errors.ts";
import { writeFileAtomically } from "../../node/index.ts";
import { loadFolds, partsText, type ExampleSource, type FoldSource } from "../data/data-source.ts";
import { settledFlags, settledOptions } from "../options/defaults.ts";
import { trainOptions, type TrainFlags } from "../options/train-options.ts";
import { aucText, rankingOf } from "../text/class-metrics.ts";
import { say } from "../text/terminal.ts";
import { adapterText, counted, field, outcomeText } from "../text/text.ts";
import { Interruption } from "../training/interrupt.ts";
import { dataForStart, type StartingModel } from "../training/starting-model.ts";
import { fitRun, lossOf, measure, prepare, type Run, type Subject } from "../training/training-run.ts";
import { predictionsCsv, type FoldPredictions } from "./fold-predictions.ts";
import { summaryText, type FoldScores } from "./summary.ts";

/** The settings that all folds share. */
export interface CrossValidation {
  readonly flags: TrainFlags & { readonly folds: number };
  readonly configuration: Run["configuration"];
  readonly backend: Backend;
  readonly start: StartingModel | undefined;
}

interface FoldResult extends FoldScores {
  readonly predictions: FoldPredictions;
}

/** @throws OptionError for an option that has a meaning for a single model only */
export function requireNoModelOptions(flags: TrainFlags): void {
  const isGiven = (value: unknown) => value !== undefined && value !== false;
  const found = trainOptions().find(
    (option) => !option.facts.suitsFolds && isGiven(flags[option.attributeName() as keyof TrainFlags]),
  );
  if (!found) return;
  const { flag, facts } = found;
  const isTest = facts.file === "input";
  const what = isTest
    ? "in a cross-validation, each fold is the test data of one model"
    : "a cross-validation trains one model per fold, and keeps none";
  throw new OptionError({ where: flag, what, fix: "Omit this option, or omit --folds" });
}

/** Trains and tests a model for each fold, and prints the results with their mean and standard deviation. */
export async function crossValidate(validation: CrossValidation): Promise<void> {
  const { flags } = validation;
  const interruption = new Interruption();
  const results: FoldResult[] = [];
  try {
    for await (const fold of loadFolds(flags, flags.folds)) {
      if (results.length === 0) announce(fold, validation);
      const result = await resultOf(fold, validation, interruption);
      if (!result) break;
      results.push(result);
      const area = result.rocAuc === undefined ? "" : `  ROC AUC ${aucText(result.rocAuc)}`;
      say(`fold ${results.length}/${flags.folds}  ${outcomeText(result.outcome)}${area}`);
    }
  } finally {
    interruption.stopListening();
  }
  if (interruption.exitCode !== undefined) {
    say(`interrupted after ${results.length} of ${counted(flags.folds, "fold")}`);
    process.exitCode = interruption.exitCode;
    return;
  }
  say(summaryText(results));
  const path = flags.foldPredictions;
  if (path === undefined) return;
  await writeFileAtomically(
    path,
    new TextEncoder().encode(predictionsCsv(results.map(({ predictions }) => predictions))),
  );
  say(field("written", path));
}

function announce({ source }: FoldSource, { flags, backend }: CrossValidation): void {
  say([
    ...field("data", `${source.source}: ${counted(flags.folds, "fold")};`, ` the first has ${partsText(source)}`),
    ...source.notes,
    ...field("adapter", adapterText(backend)),
  ]);
}

/** @returns undefined if training was interrupted */
async function resultOf(
  { indices, source }: FoldSource,
  { flags, configuration, backend, start }: CrossValidation,
  interruption: Interruption,
): Promise<FoldResult | undefined> {
  const data = start ? dataForStart(source, start) : source;
  const settled = settledFlags(flags, data);
  const run: Run<ExampleSource> = {
    flags: settled,
    configuration: { ...configuration, ...settledOptions(settled) },
    data,
    backend,
    start,
  };
  const subject = await prepare(run);
  try {
    await train(run, subject, interruption);
    if (interruption.exitCode !== undefined) return undefined;
    return await tested(run, subject, indices);
  } finally {
    subject.trainer.dispose();
  }
}

async function train(run: Run, { trainer }: Subject, { signal }: Interruption): Promise<void> {
  for await (const _ of fitRun(run, trainer, { signal })) {
    // The CPU backend never yields to the event loop, which must run for signals to be handled.
    await setImmediate();
  }
}

async function tested(run: Run<ExampleSource>, { trainer }: Subject, indices: Uint32Array): Promise<FoldResult> {
  const test = run.data.test!;
  const outcome = await measure(run, trainer);
  const outputs = await trainer.predict(test.features);
  const loss = lossOf(run);
  return {
    outcome,
    rocAuc: isRegression(test) ? undefined : rankingOf(test, outputs, loss)?.rocAuc,
    predictions: { indices, test, outputs, loss, threshold: run.flags.threshold, table: run.data.table },
  };
}
