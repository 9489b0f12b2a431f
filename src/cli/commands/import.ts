import type { Command } from "commander";
import type { TableSchema } from "../../data/table-schema.ts";
import { excerpt, OptionError } from "../../errors.ts";
import { initialValues } from "../../formats/model.ts";
import { loadPytorch } from "../../formats/pytorch.ts";
import { activations, type ActivationName } from "../../nn/activations.ts";
import { layersFromText, sequential, type Model } from "../../nn/index.ts";
import { losses, type LossName } from "../../nn/losses.ts";
import { readFileOrRefuse } from "../../node/files.ts";
import { sizeOf } from "../../graph/tensor.ts";
import { saveModelFile, type TrainedModel } from "../../node/index.ts";
import { schemaOfNumbers } from "../data/model-table.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { modelPath, oneOf, widths } from "../options/parsers.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { refusedAs } from "../options/refused.ts";
import { say } from "../text/terminal.ts";
import { field } from "../text/text.ts";
import { networkText } from "../text/network-text.ts";

interface ImportFlags {
  readonly out: string;
  readonly activation?: ActivationName;
  readonly layers?: string;
  readonly modules?: readonly string[];
  readonly shape?: readonly number[];
  readonly scale?: number | readonly number[];
  readonly offset?: number | readonly number[];
  readonly classes?: readonly string[];
  readonly outputs?: readonly string[];
  readonly columns?: readonly string[];
  readonly label?: string;
  readonly loss?: LossName;
}

const EXAMPLES = `
Example:
  wgrad import net.safetensors --activation tanh --out model.safetensors
  wgrad import cnn.safetensors --shape 28,28 --out model.safetensors \\
    --layers "conv 16 3x3 relu, maxpool 2, flatten, dense 10"`;

const list = (flag: string, what: string) => new DeclaredOption(flag, what).argParser(names(flag.split(" ")[0]!));

const numbers = (flag: string, what: string, libraryName: string) =>
  new DeclaredOption(flag, what)
    .argParser(numberOrList(flag.split(" ")[0]!))
    .withFacts({ libraryNames: [libraryName] });

const one = <Name extends string>(flag: string, what: string, table: Readonly<Record<Name, unknown>>) =>
  new DeclaredOption(`${flag} <name>`, what).argParser(oneOf(flag, Object.keys(table) as Name[]));

const outOption = () =>
  new DeclaredOption("--out <file>", "write the model, such as MODEL.safetensors")
    .withFacts({ file: "output" })
    .argParser(modelPath("--out"))
    .makeOptionMandatory();

/** `wgrad import`. */
export function importCommand(command: Command): Command {
  return command
    .summary("Imports a PyTorch network from a safetensors file.")
    .description(
      "Imports a PyTorch network from a safetensors file of its state_dict: Linear layers, or those of --layers. " +
        "A file written by `wgrad export` needs no options: it gives the exported model again.",
    )
    .argument("<file>", "a safetensors file with float32, float16, bfloat16 or float64 tensors")
    .addOption(outOption())
    .addOption(one("--activation", "activation between the layers (default: relu)", activations))
    .addOption(
      new DeclaredOption(
        "--layers <text>",
        'the network\'s layers, such as "conv 16 3x3 relu, maxpool 2, flatten, dense 10", with --shape (default: Linear layers)',
      ).withFacts({ libraryNames: ["model"] }),
    )
    .addOption(
      list(
        "--modules <names>",
        "names of the modules with parameters in the order of the layers, such as conv1,bn1,fc (default: by their numbers)",
      ).withFacts({ libraryNames: ["layers"] }),
    )
    .addOption(
      new DeclaredOption("--shape <sizes>", "shape of one example, such as 28,28")
        .argParser(widths("--shape"))
        .withFacts({ libraryNames: ["inputShape"] }),
    )
    .addOption(
      numbers(
        "--scale <numbers>",
        "the network's input is feature · scale + offset; one number, or one per feature (default: 1)",
        "normalization scale",
      ),
    )
    .addOption(numbers("--offset <numbers>", "see --scale (default: 0)", "normalization offset"))
    .addOption(list("--classes <names>", "names of the classes (default: 0,1,…)"))
    .addOption(list("--outputs <names>", "names of the outputs of a regression network"))
    .addOption(
      list("--columns <names>", "table columns that are the network's inputs, in this order (default: by position)"),
    )
    .addOption(
      new DeclaredOption(
        "--label <name>",
        "with --columns: the column of the label or target (default: label, or the name of the output)",
      ),
    )
    .addOption(
      one(
        "--loss",
        "loss that the network was trained with (default: softmaxCrossEntropy, or meanSquaredError for regression)",
        losses,
      ),
    )
    .addHelpText("after", EXAMPLES)
    .action((path: string, flags: ImportFlags) => importModel(path, flags, command));
}

async function importModel(path: string, flags: ImportFlags, command: Command): Promise<void> {
  const { out, layers, modules, shape, scale, offset, columns, label, ...options } = flags;
  const { outputs } = optionPaths(command.options, flags);
  requireSeparatePaths({ inputs: [{ option: "the file", path }], outputs });
  const normalization = { scale: scale ?? 1, offset: offset ?? 0 };
  const trained = loadPytorch(await readFileOrRefuse(path), path, {
    ...options,
    ...(modules && { layers: modules }),
    ...(layers === undefined ? shape && { inputShape: shape } : { model: modelOf(layers, shape) }),
    ...((scale !== undefined || offset !== undefined) && { normalization }),
  });
  if (label !== undefined && !columns)
    throw new OptionError({ where: "--label", what: "this option requires --columns", fix: "Add --columns" });
  const table = columns && namedColumns(trained, columns, label);
  await saveModelFile(out, { ...trained, ...(table && { table }) }, initialValues(trained.model));
  say(field("network", networkText(trained.model)));
  say(field("model", out));
}

/** The network of --layers, with initial values. @throws OptionError */
function modelOf(text: string, inputShape: readonly number[] | undefined): Model {
  const layers = layersFromText(text);
  if (inputShape) return refusedAs("--layers", () => sequential(layers, { inputShape }));
  const what = "the shape of the network's input is not known";
  throw new OptionError({ where: "--layers", what, fix: "Add --shape with the shape of one example, such as 28,28" });
}

/** @throws OptionError unless there is one name for each input, and all names differ */
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
      what: `named columns need examples with one axis, but --shape is ${inputShape.join(",")}`,
      fix: "Omit --shape",
    });
  if (columns.length !== inputs || new Set([...columns, name]).size !== inputs + 1) {
    const what = `the columns are ${excerpt(columns.join(","))} and the label is ${excerpt(name)}, but the network has ${inputs} inputs`;
    throw new OptionError({
      where: "--columns",
      what,
      fix: "Give one column for each input and another one for the label, all with different names",
    });
  }
  return schemaOfNumbers(columns, { name, classes, outputs });
}

/** Parses names separated by commas. */
function names(flag: string): (text: string) => string[] {
  return (text) => {
    const parts = text.split(",").map((part) => part.trim());
    if (parts.every((part) => part !== "")) return parts;
    throw new OptionError({
      where: flag,
      what: `${JSON.stringify(text)} contains an empty name`,
      fix: "Give names separated by commas",
    });
  };
}

/** Parses a finite number, or several separated by commas. */
function numberOrList(flag: string): (text: string) => number | number[] {
  return (text) => {
    const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
    if (!values.every(Number.isFinite)) {
      const what = `${JSON.stringify(text)} is neither a finite number nor a list of finite numbers`;
      throw new OptionError({
        where: flag,
        what,
        fix: "Give one number such as 0.5, or one for each feature, separated by commas",
      });
    }
    return values.length === 1 ? values[0]! : values;
  };
}
