import type { Command } from "commander";
import type { TableSchema } from "../../data/table-schema.ts";
import { excerpt, OptionError } from "../../errors.ts";
import { initialValues } from "../../formats/model.ts";
import { loadPytorch } from "../../formats/pytorch.ts";
import { activations, type ActivationName } from "../../nn/activations.ts";
import { losses, type LossName } from "../../nn/losses.ts";
import { readFileOrRefuse } from "../../node/files.ts";
import { sizeOf } from "../../graph/tensor.ts";
import { saveModelFile, type TrainedModel } from "../../node/index.ts";
import { schemaOfNumbers } from "../data/model-table.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { oneOf, widths } from "../options/parsers.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { say } from "../text/terminal.ts";
import { field } from "../text/text.ts";
import { networkText } from "../training/network.ts";

interface ImportFlags {
  readonly out: string;
  readonly activation?: ActivationName;
  readonly layers?: readonly string[];
  readonly shape?: readonly number[];
  readonly scale?: number | readonly number[];
  readonly offset?: number | readonly number[];
  readonly classes?: readonly string[];
  readonly outputs?: readonly string[];
  readonly columns?: readonly string[];
  readonly label?: string;
  readonly loss?: LossName;
}

/** `wgrad import`. */
export function importCommand(command: Command): Command {
  const list = (flag: string, what: string) => new DeclaredOption(flag, what).argParser(names(flag.split(" ")[0]!));
  const numbers = (flag: string, what: string, libraryName: string) =>
    new DeclaredOption(flag, what)
      .argParser(numberOrList(flag.split(" ")[0]!))
      .withFacts({ libraryNames: [libraryName] });
  const one = <Name extends string>(flag: string, what: string, table: Readonly<Record<Name, unknown>>) =>
    new DeclaredOption(`${flag} <name>`, what).argParser(oneOf(flag, Object.keys(table) as Name[]));
  return command
    .description(
      "Makes a model of a PyTorch network of Linear layers, from a safetensors file of its state_dict. " +
        "Of a file that `wgrad export` wrote, it makes the model that was exported; no options are needed.",
    )
    .argument("<file>", "a safetensors file of float32, float16, bfloat16 or float64")
    .addOption(
      new DeclaredOption("--out <file>", "write the model, such as MODEL.safetensors")
        .withFacts({ file: "output" })
        .makeOptionMandatory(),
    )
    .addOption(one("--activation", "between the layers (default: relu)", activations))
    .addOption(list("--layers <names>", "the layers in their order, such as fc1,fc2,out (default: as numbered)"))
    .addOption(
      new DeclaredOption("--shape <sizes>", "the shape of one example, such as 28,28")
        .argParser(widths("--shape"))
        .withFacts({ libraryNames: ["inputShape"] }),
    )
    .addOption(
      numbers(
        "--scale <numbers>",
        "the network sees feature · scale + offset; one for all or one for each (default: 1)",
        "normalization scale",
      ),
    )
    .addOption(numbers("--offset <numbers>", "see --scale (default: 0)", "normalization offset"))
    .addOption(list("--classes <names>", "the names of the classes (default: 0,1,…)"))
    .addOption(list("--outputs <names>", "the names of the outputs, of a network of quantities"))
    .addOption(
      list(
        "--columns <names>",
        "the columns of a table that are its features, in the order of its inputs (default: as they stand)",
      ),
    )
    .addOption(
      new DeclaredOption(
        "--label <name>",
        "with --columns: the column of the answers (default: label, or the output's name)",
      ),
    )
    .addOption(
      one(
        "--loss",
        "what it was trained with (default: softmaxCrossEntropy, or meanSquaredError of quantities)",
        losses,
      ),
    )
    .addHelpText("after", "\nExample:\n  wgrad import net.safetensors --activation tanh --out model.safetensors")
    .action((path: string, flags: ImportFlags) => importModel(path, flags, command));
}

async function importModel(path: string, flags: ImportFlags, command: Command): Promise<void> {
  const { out, shape, scale, offset, columns, label, ...options } = flags;
  const { outputs } = optionPaths(command.options, flags);
  requireSeparatePaths({ inputs: [{ option: "the file", path }], outputs });
  const normalization = { scale: scale ?? 1, offset: offset ?? 0 };
  const trained = loadPytorch(await readFileOrRefuse(path), path, {
    ...options,
    ...(shape && { inputShape: shape }),
    ...((scale !== undefined || offset !== undefined) && { normalization }),
  });
  if (label !== undefined && !columns)
    throw new OptionError({ where: "--label", what: "it belongs to --columns", fix: "Give --columns as well" });
  const table = columns && namedColumns(trained, columns, label);
  await saveModelFile(out, { ...trained, ...(table && { table }) }, initialValues(trained.model));
  say(field("network", networkText(trained.model)));
  say(field("model", out));
}

/** @throws OptionError where the names are not one for each input, all different */
function namedColumns(
  { model, classes, outputs }: TrainedModel,
  columns: readonly string[],
  label: string | undefined,
): TableSchema {
  const { inputShape } = model;
  const name = label ?? outputs?.[0] ?? "label";
  const inputs = sizeOf(inputShape);
  if (inputShape.length > 1)
    throw new OptionError({
      where: "--columns",
      what: `an example has the shape ${inputShape.join(",")}`,
      fix: "Leave --shape out",
    });
  if (columns.length !== inputs || new Set([...columns, name]).size !== inputs + 1) {
    const what = `${excerpt(columns.join(","))} and the label ${excerpt(name)}, but the network has ${inputs} inputs`;
    throw new OptionError({
      where: "--columns",
      what,
      fix: "Name one column for each input and another one for the label, all different",
    });
  }
  return schemaOfNumbers(columns, { name, classes, outputs });
}

/** Names with commas between. */
function names(flag: string): (text: string) => string[] {
  return (text) => {
    const parts = text.split(",").map((part) => part.trim());
    if (parts.every((part) => part !== "")) return parts;
    throw new OptionError({
      where: flag,
      what: `${JSON.stringify(text)} has an empty name`,
      fix: "Give names with commas between",
    });
  };
}

/** A finite number, or several with commas between. */
function numberOrList(flag: string): (text: string) => number | number[] {
  return (text) => {
    const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
    if (!values.every(Number.isFinite)) {
      const what = `${JSON.stringify(text)} is no finite number and no list of them`;
      throw new OptionError({
        where: flag,
        what,
        fix: "Give one such as 0.5, or one for each feature with commas between",
      });
    }
    return values.length === 1 ? values[0]! : values;
  };
}
