import { Option, type Command } from "commander";
import { tokenizerFromConfig } from "../../data/text/config.ts";
import { describeFunctionalFile, type FunctionalFile } from "../../formats/functional-file.ts";
import { loadModel } from "../../formats/model.ts";
import { summary } from "../../nn/summary.ts";
import { readFileOrRefuse } from "../../node/index.ts";
import { alignedLines, count } from "../../text.ts";
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
    .addHelpText("after", "\nExample:\n  wgrad summary digits.safetensors")
    .action(summarize);
}

async function summarize(path: string, { json }: { json?: true }): Promise<void> {
  const bytes = await readFileOrRefuse(path);
  const functional = describeFunctionalFile(bytes, path);
  if (functional) return printFunctional(path, functional, json);
  const { model, classes, outputs, step, training, tokenizer } = loadModel(bytes, path);
  const { rows, parameters, nonTrainable, flops, text } = summary(model);
  const table = { layers: rows, parameters, nonTrainable, flops };
  if (json) return print(JSON.stringify(table, undefined, 2).split("\n"));
  const names = field(outputs ? "outputs" : "classes", shortened((outputs ?? classes).join(", "), 60));
  say([
    ...field("model", `${path}: ${parametersText(model)}`),
    ...field("training", originText({ step, training })),
    ...field("input", `[${model.inputShape.join(", ")}]`),
    ...(tokenizer ? field("tokens", tokenizerText(await tokenizerFromConfig(tokenizer))) : names),
  ]);
  print(["", ...text.split("\n")]);
}

/** Prints the layers of a functional model. Without its function, shapes and operations are not known. */
function printFunctional(path: string, { inputs, layers, step, training }: FunctionalFile, json?: true): void {
  const total = layers.reduce((sum, { values }) => sum + values, 0);
  if (json) return print(JSON.stringify({ inputs, layers, values: total }, undefined, 2).split("\n"));
  const shapes = Object.entries(inputs).map(([name, { shape }]) => `${name} [${shape.join(", ")}]`);
  say([
    ...field("model", `${path}: a functional model, ${counted(total, "value")}`),
    ...field("training", originText({ step, training })),
    ...field("inputs", shapes.join(", ")),
  ]);
  const rows = layers.map(({ name, type, values }) => [name, type, count(values)]);
  const table = [["layer", "type", "values"], ...rows, [counted(layers.length, "layer"), "", count(total)]];
  print([
    "",
    ...alignedLines(table, (column) => column === 2),
    "The file does not contain the model's function, which decides shapes and operations: summary(model) prints them.",
  ]);
}
