import { Option, type Command } from "commander";
import { tokenizerFromConfig } from "../../data/text/config.ts";
import { summary } from "../../nn/summary.ts";
import { loadModelFile } from "../../node/index.ts";
import { tokenizerText } from "../text/language-metrics.ts";
import { parametersText } from "../text/network-text.ts";
import { print, say } from "../text/terminal.ts";
import { field, originText, shortened } from "../text/text.ts";

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
  const { model, classes, outputs, step, training, tokenizer } = await loadModelFile(path);
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
