import { Option, type Command } from "commander";
import { tokenizerFromConfig } from "../../data/text/config.ts";
import { describeFunctionalFile, type FunctionalFile } from "../../formats/functional-file.ts";
import { hasFunction, type TrainedModel } from "../../formats/model.ts";
import { summary } from "../../nn/summary.ts";
import { readFileOrRefuse } from "../../node/index.ts";
import { alignedLines, count } from "../../text.ts";
import { functionOption, modelWithFunction } from "../options/function-option.ts";
import { tokenizerText } from "../text/language-metrics.ts";
import { parametersText } from "../text/network-text.ts";
import { print, say } from "../text/terminal.ts";
import { counted, field, originText, shortened } from "../text/text.ts";

/** `wgrad summary`. */
export function summaryCommand(command: Command): Command {
  return command
    .summary("Prints the layers of a trained model.")
    .description(
      "Prints the layers of a trained model as a table: the shape of their output for one example, the number of " +
        "their parameters, and the floating-point operations for one example.",
    )
    .argument("<model>", "a file written by `wgrad train --out` or `wgrad import`")
    .addOption(new Option("--json", "print the table as JSON"))
    .addOption(functionOption())
    .addHelpText("after", "\nExample:\n  wgrad summary digits.safetensors")
    .action(summarize);
}

interface SummaryFlags {
  readonly json?: true;
  readonly function?: string;
}

async function summarize(path: string, { json, function: functionFile }: SummaryFlags): Promise<void> {
  const bytes = await readFileOrRefuse(path);
  const functional = describeFunctionalFile(bytes, path);
  if (functional && functionFile === undefined) return printFunctional(path, functional, json);
  const trained = await modelWithFunction(bytes, path, functionFile);
  const { rows, parameters, nonTrainable, flops, text } = summary(trained.model);
  const table = { layers: rows, parameters, nonTrainable, flops };
  if (json) return print(JSON.stringify(table, undefined, 2).split("\n"));
  if (functional) say(functionalFields(path, functional));
  if (!hasFunction(trained)) await describeChain(path, trained);
  print(["", ...text.split("\n")]);
}

async function describeChain(path: string, trained: TrainedModel): Promise<void> {
  const { model, classes, outputs, step, training, tokenizer } = trained;
  const names = field(outputs ? "outputs" : "classes", shortened((outputs ?? classes).join(", "), 60));
  say([
    ...field("model", `${path}: ${parametersText(model)}`),
    ...field("training", originText({ step, training })),
    ...field("input", `[${model.inputShape.join(", ")}]`),
    ...(tokenizer ? field("tokens", tokenizerText(await tokenizerFromConfig(tokenizer))) : names),
  ]);
}

/** Prints the layers of a functional model. Without its function, shapes and operations are not known. */
function printFunctional(path: string, file: FunctionalFile, json?: true): void {
  const { inputs, layers } = file;
  const total = totalOf(file);
  if (json) return print(JSON.stringify({ inputs, layers, values: total }, undefined, 2).split("\n"));
  say(functionalFields(path, file));
  const rows = layers.map(({ name, type, values }) => [name, type, count(values)]);
  const table = [["layer", "type", "values"], ...rows, [counted(layers.length, "layer"), "", count(total)]];
  print([
    "",
    ...alignedLines(table, (column) => column === 2),
    "The file does not contain the model's function, which decides shapes and operations. Give it with --function.",
  ]);
}

const totalOf = ({ layers }: FunctionalFile): number => layers.reduce((sum, { values }) => sum + values, 0);

function functionalFields(path: string, file: FunctionalFile): string[] {
  const shapes = Object.entries(file.inputs).map(([name, { shape }]) => `${name} [${shape.join(", ")}]`);
  return [
    ...field("model", `${path}: a functional model, ${counted(totalOf(file), "value")}`),
    ...field("training", originText(file)),
    ...field("inputs", shapes.join(", ")),
  ];
}
