import { Option, type Command } from "commander";
import { OptionError } from "../../errors.ts";
import { createEvaluator, type Evaluator } from "../../train/index.ts";
import { again } from "../../node/csv-bytes.ts";
import { cannotBeRead, inputName, openInput, STANDARD_INPUT } from "../../node/csv-file.ts";
import { isPng } from "../../node/png.ts";
import { createNodeBackend, loadModelFile, type DeviceChoice, type TrainedModel } from "../../node/index.ts";
import { csvOptions, type CsvFlags } from "../options/data-options.ts";
import { tableOf } from "../data/model-table.ts";
import { onePicture, type PictureFlags } from "../data/picture-input.ts";
import { deviceOption, nameOption } from "../options/options.ts";
import { requireSeparatePaths } from "../options/paths.ts";
import { createPredictionWriter, type PredictionFormat } from "../data/prediction-writer.ts";
import { visible, warn } from "../text/terminal.ts";
import { tableBatches, type FeatureBatch } from "../data/table-batches.ts";

interface PredictFlags extends CsvFlags, PictureFlags {
  readonly format: PredictionFormat;
  readonly probabilities?: true;
  readonly device: DeviceChoice;
}

const EXAMPLES = `
Example:
  wgrad predict flowers.safetensors new.csv > said.csv
  wgrad predict flowers.safetensors --probabilities --format json < new.csv
  wgrad predict digits.safetensors seven.png --invert --resize`;

/** `wgrad predict`. */
export function predictCommand(command: Command): Command {
  command
    .description(
      "Says what a trained model makes of new examples: a line for each row of a table, in its order, or for a picture. " +
        "A table has the columns that the model was trained on, in any order; it needs no label. " +
        "A network that was imported without their names takes columns of numbers as they stand.",
    )
    .argument("<model>", "a file that `wgrad train --out` wrote")
    .argument("[input]", "a CSV file or a PNG picture (default: standard input)")
    .addOption(nameOption("--format", "of what is printed", ["csv", "json"], "csv"))
    .addOption(new Option("--probabilities", "print the probability of each class as well"))
    .addOption(new Option("--invert", "exchange black and white of a picture, for black on white"))
    .addOption(new Option("--resize", "bring a picture of another size to the model's"));
  for (const option of csvOptions()) command.addOption(option);
  return command.addOption(deviceOption()).addHelpText("after", EXAMPLES).action(predict);
}

async function predict(path: string, input: string = STANDARD_INPUT, flags: PredictFlags): Promise<void> {
  requireSeparatePaths({
    inputs: [
      { option: "the model", path },
      { option: "the input", path: input },
    ],
    outputs: [],
  });
  const trained = await loadModelFile(path);
  const batches = await batchesOf(path, trained, input, flags);
  // What is computed on is told where it does not mix with the predictions.
  const backend = await createNodeBackend({ device: flags.device, log: warn });
  try {
    const { model, loss, normalization } = trained;
    const evaluator = createEvaluator({ model, loss, normalization, backend, session: backend.createSession() });
    await writeAll(evaluator, trained, path, batches, flags);
  } finally {
    backend.dispose();
  }
}

async function writeAll(
  evaluator: Evaluator,
  trained: TrainedModel,
  path: string,
  batches: AsyncIterable<FeatureBatch>,
  { format, probabilities }: PredictFlags,
): Promise<void> {
  const writer = createPredictionWriter({ trained, path, format, probabilities: probabilities === true });
  for await (const { features } of batches) {
    const found = writer.linesOf(await evaluator.predict(features));
    // A program that reads CSV gets the names as they are; the escapes of JSON stand for the same names.
    const lines = process.stdout.isTTY || format === "json" ? found.map(visible) : found;
    // A slow reader is waited for, so that no more than a batch is held.
    if (!process.stdout.write(`${lines.join("\n")}\n`)) await drained(process.stdout);
  }
}

/** Waits until a stream takes more; a reader that left ends the waiting too. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once("drain", resolve);
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
}

async function batchesOf(
  path: string,
  trained: TrainedModel,
  input: string,
  flags: PredictFlags,
): Promise<AsyncIterable<FeatureBatch>> {
  const chunks = openInput(input)[Symbol.asyncIterator]();
  const first = await firstChunk(chunks, input);
  if (isPng(first)) return onePicture(again(first, chunks), inputName(input), trained, flags);
  const schema = tableOf(trained, path);
  if (!schema) {
    throw new OptionError({
      where: inputName(input),
      what: `${path} was trained on pictures, and this is no PNG`,
      fix: `Give a PNG of ${trained.model.inputShape.join("×")} pixels`,
    });
  }
  return tableBatches(again(first, chunks), { name: inputName(input), schema, ...flags });
}

async function firstChunk(chunks: AsyncIterator<Uint8Array>, input: string): Promise<Uint8Array> {
  const { done, value } = await chunks.next().catch((cause: unknown) => {
    throw cannotBeRead(inputName(input), cause);
  });
  return done ? new Uint8Array() : value;
}
