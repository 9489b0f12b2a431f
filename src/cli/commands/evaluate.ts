import { Option, type Command } from "commander";
import { isRegression, type Dataset } from "../../data/dataset.ts";
import { tableSchemaFrom } from "../../data/table-schema.ts";
import { DataError, OptionError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import {
  classificationMetrics,
  confusionMatrix,
  createEvaluator,
  predictedClasses,
  type ClassificationMetrics,
  type Evaluation,
  type RegressionMetrics,
} from "../../train/index.ts";
import { decisionThreshold } from "../../train/outputs.ts";
import {
  createNodeBackend,
  loadMnist,
  loadModelFile,
  readCsvDataset,
  type DeviceChoice,
  type TrainedModel,
} from "../../node/index.ts";
import { csvOptions, mnistPaths, requireOneSource, sourceOptions, type SourceFlags } from "../options/data-options.ts";
import { csvFormat, readPictures } from "../data/data-source.ts";
import { classTable, confusionTable } from "../text/metrics-text.ts";
import { requireLabels, tableOf } from "../data/model-table.ts";
import { deviceOption } from "../options/options.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { measureRegression, targetTable, type TargetMetrics } from "../text/target-metrics.ts";
import { print, say, warn } from "../text/terminal.ts";
import { adapterText, count, counted, field, outcomeText } from "../text/text.ts";

interface EvaluateFlags extends SourceFlags {
  readonly device: DeviceChoice;
  readonly json?: true;
}

const EXAMPLES = `
Example:
  wgrad evaluate digits.safetensors --data data/mnist
  wgrad evaluate flowers.safetensors --csv more-flowers.csv --json`;

/** `wgrad evaluate`. */
export function evaluateCommand(command: Command): Command {
  command
    .summary("Evaluates a trained model on a test set.")
    .description(
      "Evaluates a trained model on MNIST's test set, on images in IDX files, or on a table with the columns that it was trained on.",
    )
    .argument("<model>", "a file written by `wgrad train --out`");
  for (const option of [...sourceOptions(), ...csvOptions()]) command.addOption(option);
  return command
    .addOption(deviceOption())
    .addOption(new Option("--json", "print all metrics as JSON, including the whole confusion matrix"))
    .addHelpText("after", EXAMPLES)
    .action((path: string, flags: EvaluateFlags) => evaluate(path, flags, command));
}

async function evaluate(path: string, flags: EvaluateFlags, command: Command): Promise<void> {
  requireOneSource(flags);
  const { inputs, outputs } = optionPaths(command.options, flags);
  requireSeparatePaths({ inputs: [{ option: "the model", path }, ...inputs, ...mnistPaths(flags)], outputs });
  const trained = await loadModelFile(path);
  const { test, source } = await examplesFor(path, trained, flags);
  requireFit(path, trained, test);
  const backend = await createNodeBackend({ device: flags.device, log: warn });
  try {
    const { model, loss, normalization } = trained;
    const evaluator = createEvaluator({ model, loss, normalization, backend, session: backend.createSession() });
    const evaluation = await evaluator.evaluate(test);
    const measured = { evaluation, ...metricsOf(path, trained, test, await evaluator.predict(test.features)) };
    if (flags.json) return print(JSON.stringify(asJson(measured), undefined, 2).split("\n"));
    describe({ path, trained, source, examples: test.count, adapter: adapterText(backend), measured });
  } finally {
    backend.dispose();
  }
}

interface Measured {
  readonly evaluation: Evaluation;
  readonly classification: ClassificationMetrics | undefined;
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
  const { data, importedFrom } = trained.training;
  const origin =
    importedFrom === undefined ? `${counted(trained.step, "step")} on ${data}` : `imported from ${importedFrom}`;
  say(field("model", `${path}: ${origin}`));
  say(field("data", `${source}: ${count(examples)} for testing`));
  say(field("adapter", adapter));
  say(outcomeText({ part: "test", ...measured }));
  if (measured.targets.length > 0) print(["", ...targetTable(measured.targets)]);
  if (measured.classification)
    print(["", ...classTable(measured.classification), "", ...confusionTable(measured.classification)]);
}

function asJson({ evaluation, classification, regression, targets }: Measured): object {
  const { loss, count: examples } = evaluation;
  return { examples, loss, ...classification, ...regression, ...(targets.length > 0 && { targets }) };
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
    return { test: await readPictures(images, labels, { classes: trained.classes, requireShape }), source: images };
  }
  return loadMnist({ directory: data ?? images, log: warn });
}

function metricsOf(
  path: string,
  { table, model, loss }: TrainedModel,
  test: Dataset,
  outputs: Float32Array,
): Omit<Measured, "evaluation"> {
  if (!isRegression(test)) {
    const predictions = predictedClasses(outputs, sizeOf(model.outputShape), decisionThreshold(loss));
    const confusion = confusionMatrix(test.labels, predictions, test.classes.length);
    return { classification: classificationMetrics(confusion, test.classes), regression: undefined, targets: [] };
  }
  return { classification: undefined, ...measureRegression(test, outputs, table && tableSchemaFrom(table, path)) };
}

/** @throws DataError if the size of the pictures or the classes differ from the model's */
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

/** @throws DataError if the pictures do not have the size that the model expects */
function requireSize(where: string, trained: TrainedModel, { name, shape }: Pick<Dataset, "name" | "shape">): void {
  const { inputShape } = trained.model;
  if (sizeOf(shape) === sizeOf(inputShape)) return;
  const what = `the model expects images of ${inputShape.join("×")}, but those of ${name} are ${shape.join("×")}`;
  throw new DataError({ where, what, fix: otherData(trained) });
}
