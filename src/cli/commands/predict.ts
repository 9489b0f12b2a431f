import { Option, type Command } from "commander";
import { sizeText } from "../../data/image-pixels.ts";
import { DataError, OptionError } from "../../errors.ts";
import { createEvaluator, type Evaluator } from "../../train/index.ts";
import { again } from "../../node/csv-bytes.ts";
import { cannotBeRead, inputName, openInput, STANDARD_INPUT } from "../../node/csv-file.ts";
import { isImage } from "../../node/image.ts";
import { createNodeBackend, loadModelFile, type DeviceChoice, type TrainedModel } from "../../node/index.ts";
import { csvOptions, type CsvFlags } from "../options/data-options.ts";
import { tableOf } from "../data/model-table.ts";
import { imageInputOf, manyImages, oneImage, type ImageFlags } from "../data/image-input.ts";
import { isFolder } from "../data/image-source.ts";
import { deviceOption, nameOption } from "../options/options.ts";
import { thresholdOption, type ThresholdFlags } from "../options/threshold-option.ts";
import { requireSeparatePaths } from "../options/paths.ts";
import { createPredictionWriter, type PredictionFormat, type PredictionWriter } from "../data/prediction-writer.ts";
import { visible, warn, writeText } from "../text/terminal.ts";
import { tableBatches, type FeatureBatch } from "../data/table-batches.ts";

interface PredictFlags extends CsvFlags, ImageFlags, ThresholdFlags {
  readonly format: PredictionFormat;
  readonly probabilities?: true;
  readonly device: DeviceChoice;
}

const EXAMPLES = `
Example:
  wgrad predict flowers.safetensors new.csv > predictions.csv
  wgrad predict flowers.safetensors --probabilities --format json < new.csv
  wgrad predict digits.safetensors seven.png --invert --resize
  wgrad predict pets.safetensors photos/ more/cat.jpg > predictions.csv`;

/** `wgrad predict`. */
export function predictCommand(command: Command): Command {
  command
    .summary("Prints predictions for the rows of a table, or for images.")
    .description(
      "Prints a trained model's prediction for each row of a table, in order, or for images. " +
        "The table needs the columns that the model was trained on, in any order; it needs no label. " +
        "A network that was imported without column names takes columns of numbers by position. " +
        "For several images, or a folder of them, each line contains the file, the prediction and its probability.",
    )
    .argument("<model>", "a file written by `wgrad train --out`")
    .argument("[inputs...]", "a CSV file, or PNG and JPEG images and folders of them (default: standard input)")
    .addOption(nameOption("--format", "output format", ["csv", "json"], { preset: "csv" }))
    .addOption(new Option("--probabilities", "also print the probability of each class"))
    .addOption(thresholdOption("the one stored in the model, if any"))
    .addOption(new Option("--invert", "invert the images, for black on white"))
    .addOption(
      new Option("--resize", "resize the images to the size that the model expects (default: if it was trained so)"),
    );
  for (const option of csvOptions()) command.addOption(option);
  return command.addOption(deviceOption()).addHelpText("after", EXAMPLES).action(predict);
}

async function predict(path: string, given: readonly string[], flags: PredictFlags): Promise<void> {
  const inputs = given.length === 0 ? [STANDARD_INPUT] : given;
  requireSeparatePaths({
    inputs: [{ option: "the model", path }, ...inputs.map((input) => ({ option: "the input", path: input }))],
    outputs: [],
  });
  const trained = await loadModelFile(path);
  if (trained.tokenizer) {
    const fix = "Continue texts with `wgrad generate`, or measure the model with `wgrad evaluate --text`";
    throw new OptionError({ where: path, what: "the model was trained on text, and predicts tokens", fix });
  }
  const areFiles = inputs.length > 1 || (inputs[0] !== STANDARD_INPUT && (await isFolder(inputs[0]!)));
  const batches = areFiles
    ? manyImages(inputs, inputs[0]!, trained, flags)
    : await batchesOf(path, trained, inputs[0]!, flags);
  const writer = createPredictionWriter({
    trained,
    path,
    format: flags.format,
    probabilities: flags.probabilities === true,
    threshold: flags.threshold ?? trained.threshold,
    areFiles,
  });
  // Standard output carries only predictions, so messages about the device go to standard error.
  const backend = await createNodeBackend({ device: flags.device, log: warn });
  try {
    const { model, loss, normalization } = trained;
    const evaluator = createEvaluator({ model, loss, normalization, backend, session: backend.createSession() });
    await writeAll(evaluator, writer, batches, flags.format);
  } finally {
    backend.dispose();
  }
}

async function writeAll(
  evaluator: Evaluator,
  writer: PredictionWriter,
  batches: AsyncIterable<FeatureBatch>,
  format: PredictionFormat,
): Promise<void> {
  for await (const { features, names } of batches) {
    const written = writer.linesOf(await evaluator.predict(features), names);
    // A terminal must not receive control characters. In JSON, the escapes mean the same names; in CSV for a program
    // they would not.
    const lines = process.stdout.isTTY || format === "json" ? written.map(visible) : written;
    // At most one batch of lines is held in memory.
    await writeText(`${lines.join("\n")}\n`);
  }
}

async function batchesOf(
  path: string,
  trained: TrainedModel,
  input: string,
  flags: PredictFlags,
): Promise<AsyncIterable<FeatureBatch>> {
  const chunks = openInput(input)[Symbol.asyncIterator]();
  const first = await firstChunk(chunks, input);
  if (isImage(first)) return oneImage(again(first, chunks), inputName(input), trained, flags);
  const schema = tableOf(trained, path);
  if (!schema) {
    throw new OptionError({
      where: inputName(input),
      what: `${path} was trained on images, but this is not a PNG or JPEG`,
      fix: `Give an image of ${sizeText(imageInputOf(trained, inputName(input)))} pixels (width × height)`,
    });
  }
  return tableBatches(again(first, chunks), { name: inputName(input), schema, ...flags });
}

async function firstChunk(chunks: AsyncIterator<Uint8Array>, input: string): Promise<Uint8Array> {
  const { done, value } = await chunks.next().catch((cause: unknown) => {
    throw cannotBeRead(inputName(input), cause);
  });
  if (!done) return value;
  throw new DataError({ where: inputName(input), what: "the input is empty", fix: "Give a table or an image" });
}
