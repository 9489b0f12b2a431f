import { Option, type Command } from "commander";
import { isRegression, type Dataset } from "../../data/dataset.ts";
import { tableSchemaFrom } from "../../data/table-schema.ts";
import { DataError, OptionError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import { createEvaluator, type Evaluation, type RegressionMetrics } from "../../train/index.ts";
import {
  createNodeBackend,
  loadMnist,
  loadModelFile,
  readCsvDataset,
  type DeviceChoice,
  type TrainedModel,
} from "../../node/index.ts";
import { csvOptions, mnistPaths, requireOneSource, sourceOptions, type SourceFlags } from "../options/data-options.ts";
import { csvFormat } from "../data/data-source.ts";
import { imageInputOf } from "../data/image-input.ts";
import { isFolderOfClasses, readImagesFor, readIdxImages } from "../data/image-source.ts";
import { thresholdOption, type ThresholdFlags } from "../options/threshold-option.ts";
import { measureClasses, rankingText, type ClassOutcome } from "../text/class-metrics.ts";
import { classTable, confusionTable } from "../text/metrics-text.ts";
import { requireLabels, tableOf } from "../data/model-table.ts";
import { tokenizerOf } from "../data/text-model.ts";
import { readTextFor } from "../data/text-source.ts";
import { deviceOption } from "../options/options.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { targetTable } from "../text/target-metrics.ts";
import { measureLanguage, measureRegression, type TargetMetrics } from "../../train/measurement.ts";
import { print, say, warn } from "../text/terminal.ts";
import { adapterText, count, counted, field, originText, outcomeText, shortNumber } from "../text/text.ts";

interface EvaluateFlags extends SourceFlags, ThresholdFlags {
  readonly device: DeviceChoice;
  readonly json?: true;
}

const EXAMPLES = `
Example:
  wgrad evaluate digits.safetensors --data data/mnist
  wgrad evaluate flowers.safetensors --csv more-flowers.csv --json
  wgrad evaluate pets.safetensors --images test-photos
  wgrad evaluate shakespeare.safetensors --text sonnets.txt`;

/** `wgrad evaluate`. */
export function evaluateCommand(command: Command): Command {
  command
    .summary("Evaluates a trained model on a test set.")
    .description(
      "Evaluates a trained model on MNIST's test set, on images in folders or IDX files, on a table with the columns that it was trained on, or on a text.",
    )
    .argument("<model>", "a file written by `wgrad train --out`");
  for (const option of [...sourceOptions(), ...csvOptions()]) command.addOption(option);
  return command
    .addOption(deviceOption())
    .addOption(thresholdOption("the one stored in the model, if any"))
    .addOption(new Option("--json", "print all metrics as JSON, including the whole confusion matrix"))
    .addHelpText("after", EXAMPLES)
    .action((path: string, flags: EvaluateFlags) => evaluate(path, flags, command));
}

async function evaluate(path: string, flags: EvaluateFlags, command: Command): Promise<void> {
  requireOneSource(flags);
  const { inputs, outputs } = optionPaths(command.options, flags);
  requireSeparatePaths({ inputs: [{ option: "the model", path }, ...inputs, ...mnistPaths(flags)], outputs });
  const trained = await loadModelFile(path);
  if (trained.tokenizer !== undefined || flags.text !== undefined) return evaluateText(path, trained, flags);
  const { test, source } = await examplesFor(path, trained, flags);
  requireFit(path, trained, test);
  const threshold = flags.threshold ?? trained.threshold;
  const backend = await createNodeBackend({ device: flags.device, log: warn });
  try {
    const { model, loss, normalization } = trained;
    const evaluator = createEvaluator({ model, loss, normalization, backend, session: backend.createSession() });
    const evaluation = await evaluator.evaluate(test);
    const predicted = await evaluator.predict(test.features);
    const measured = measuredOf(path, trained, { test, outputs: predicted, evaluation, threshold });
    if (flags.json) return print(JSON.stringify(asJson(measured), undefined, 2).split("\n"));
    describe({ path, trained, source, examples: test.count, adapter: adapterText(backend), measured });
  } finally {
    backend.dispose();
  }
}

/** Evaluates a model of texts. */
async function evaluateText(path: string, trained: TrainedModel, flags: EvaluateFlags): Promise<void> {
  const { text, device, json } = flags;
  const tokenizer = await tokenizerOf(trained, path);
  if (text === undefined) {
    const fix = "Give a text file with --text";
    throw new OptionError({ where: path, what: "the model was trained on text", fix });
  }
  if (flags.threshold !== undefined)
    throw new OptionError({ where: "--threshold", what: "a text has no classes", fix: "Omit this option" });
  const { model, loss } = trained;
  const test = await readTextFor(text, tokenizer, model.inputShape[0]!);
  const backend = await createNodeBackend({ device, log: warn });
  try {
    const evaluator = createEvaluator({ model, loss, backend, session: backend.createSession() });
    const evaluation = await evaluator.evaluate(test);
    const language = measureLanguage(evaluation.loss, test);
    const tokens = evaluation.count * test.context;
    if (json) return print(JSON.stringify({ tokens, loss: evaluation.loss, ...language }, undefined, 2).split("\n"));
    say(field("model", `${path}: ${originText(trained)}`));
    say(field("data", `${text}: ${counted(tokens, "token")} for testing`));
    say(field("adapter", adapterText(backend)));
    say(outcomeText({ part: "test", evaluation, language, regression: undefined, targets: [] }));
  } finally {
    backend.dispose();
  }
}

interface Measured {
  readonly evaluation: Evaluation;
  readonly classes: ClassOutcome | undefined;
  readonly threshold: number | undefined;
  readonly regression: RegressionMetrics | undefined;
  /** The metrics of each target, if there are several; otherwise empty. */
  readonly targets: readonly TargetMetrics[];
}

interface Printed {
  readonly path: string;
  readonly trained: TrainedModel;
  readonly source: string;
  readonly examples: number;
  readonly adapter: string;
  readonly measured: Measured;
}

function describe({ path, trained, source, examples, adapter, measured }: Printed): void {
  say(field("model", `${path}: ${originText(trained)}`));
  say(field("data", `${source}: ${count(examples)} for testing`));
  say(field("adapter", adapter));
  say(outcomeText({ part: "test", ...measured, language: undefined }));
  if (measured.targets.length > 0) print(["", ...targetTable(measured.targets)]);
  if (!measured.classes) return;
  const { classification, ranking } = measured.classes;
  if (measured.threshold !== undefined)
    say(field("threshold", `${trained.classes[1]} from probability ${shortNumber(measured.threshold)} on`));
  if (ranking) say(rankingText(ranking, classification));
  print(["", ...classTable(classification), "", ...confusionTable(classification)]);
}

function asJson({ evaluation, classes, threshold, regression, targets }: Measured): object {
  const { loss, count: examples } = evaluation;
  return {
    examples,
    loss,
    ...(threshold !== undefined && { threshold }),
    ...classes?.classification,
    ...classes?.ranking,
    ...regression,
    ...(targets.length > 0 && { targets }),
  };
}

async function examplesFor(
  path: string,
  trained: TrainedModel,
  flags: SourceFlags,
): Promise<{ test: Dataset; source: string }> {
  const { csv, images, labels, data } = flags;
  if (csv !== undefined) {
    const schema = tableOf(trained, path);
    if (!schema)
      throw new OptionError({
        where: "--csv",
        what: `${path} was trained on images, not on a table`,
        fix: "Use --data or --images instead",
      });
    requireLabels(trained, schema, path);
    return { test: await readCsvDataset(csv, schema, csvFormat(flags)), source: csv };
  }
  if (trained.table) {
    const table = trained.training["data"];
    const what =
      table === undefined ? "the model expects rows of a table" : `the model was trained on a table, ${table}`;
    throw new OptionError({ where: path, what, fix: "Give a table with the same columns, with --csv" });
  }
  if (images !== undefined && labels !== undefined) {
    const requireShape = (shape: readonly number[]) => requireSize(path, trained, { name: images, shape });
    return { test: await readIdxImages(images, labels, { classes: trained.classes, requireShape }), source: images };
  }
  if (images !== undefined && (await isFolderOfClasses(images)))
    return { test: await readImagesFor(images, imageInputOf(trained, path), trained.classes), source: images };
  return loadMnist({ directory: data ?? images, log: warn });
}

interface Evaluated {
  readonly test: Dataset;
  readonly outputs: Float32Array;
  readonly evaluation: Evaluation;
  readonly threshold: number | undefined;
}

function measuredOf(
  path: string,
  { table, loss }: TrainedModel,
  { test, outputs, evaluation, threshold }: Evaluated,
): Measured {
  if (!isRegression(test)) {
    const classes = measureClasses(test, outputs, { loss, threshold });
    const { accuracy } = threshold === undefined ? evaluation : classes.classification;
    return { evaluation: { ...evaluation, accuracy }, classes, threshold, regression: undefined, targets: [] };
  }
  if (threshold !== undefined) {
    const what = `${path} is a regression model, which has no classes`;
    throw new OptionError({ where: "--threshold", what, fix: "Omit this option" });
  }
  const outcome = measureRegression(test, outputs, table && tableSchemaFrom(table, path));
  return { evaluation, classes: undefined, threshold, ...outcome };
}

/** @throws DataError if the size of the images or the classes differ from the model's */
function requireFit(where: string, trained: TrainedModel, test: Dataset): void {
  requireSize(where, trained, test);
  if (!isRegression(test) && trained.classes.join() !== test.classes.join()) {
    const what = `the model's classes are ${trained.classes.join(", ")}, but those of ${test.name} are ${test.classes.join(", ")}`;
    throw new DataError({ where, what, fix: otherData(trained) });
  }
}

function otherData({ model }: TrainedModel): string {
  const folder = "Use --data with the folder of the data that the model was trained on";
  return model.inputShape.length > 1 ? folder : `${folder}, or --csv with a table`;
}

/** @throws DataError if the images do not have the size that the model expects */
function requireSize(where: string, trained: TrainedModel, { name, shape }: Pick<Dataset, "name" | "shape">): void {
  const { inputShape } = trained.model;
  if (sizeOf(shape) === sizeOf(inputShape)) return;
  const what = `the model expects images of ${inputShape.join("×")}, but those of ${name} are ${shape.join("×")}`;
  throw new DataError({ where, what, fix: otherData(trained) });
}
