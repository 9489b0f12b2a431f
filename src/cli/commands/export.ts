import type { Command } from "commander";
import { OptionError } from "../../errors.ts";
import { hasFunction, lossName, type AnyTrainedModel } from "../../formats/model.ts";
import { gpt2Code, saveGpt2 } from "../../formats/gpt2.ts";
import { pytorchCode, savePytorch } from "../../formats/pytorch.ts";
import { writeFileAtomically } from "../../node/files.ts";
import { readFileOrRefuse } from "../../node/index.ts";
import { functionOption, modelWithFunction } from "../options/function-option.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { print, say } from "../text/terminal.ts";
import { counted, field } from "../text/text.ts";
import { networkText } from "../text/network-text.ts";

interface ExportFlags {
  readonly onnx?: string;
  readonly safetensors?: string;
  readonly function?: string;
  readonly gpt2?: string;
}

/** `wgrad export`. */
export function exportCommand(command: Command): Command {
  return command
    .description("Exports a trained model as ONNX, with the normalization included, or as safetensors for PyTorch.")
    .argument("<model>", "a file written by `wgrad train --out`, or by saveModel in a program")
    .addOption(
      new DeclaredOption("--onnx <file>", "write an ONNX file, such as MODEL.onnx").withFacts({ file: "output" }),
    )
    .addOption(
      new DeclaredOption(
        "--safetensors <file>",
        "write safetensors with PyTorch's names and layout, and print the Python code that loads it",
      ).withFacts({ file: "output" }),
    )
    .addOption(
      new DeclaredOption(
        "--gpt2 <file>",
        "write safetensors with the names of GPT-2 in Hugging Face's transformers, and print PyTorch code that loads it",
      ).withFacts({ file: "output" }),
    )
    .addOption(functionOption())
    .addHelpText(
      "after",
      "\nExample:\n  wgrad export digits.safetensors --onnx digits.onnx" +
        "\n  wgrad export pairs.safetensors --function pairs.mjs --onnx pairs.onnx",
    )
    .action((path: string, flags: ExportFlags) => exportModel(path, flags, command));
}

async function exportModel(path: string, flags: ExportFlags, command: Command): Promise<void> {
  const { onnx, safetensors, gpt2 } = flags;
  if ([onnx, safetensors, gpt2].every((file) => file === undefined)) {
    throw new OptionError({
      where: "export",
      what: "there is nothing to write",
      fix: "Give a file with --onnx, --safetensors or --gpt2",
    });
  }
  const { inputs, outputs } = optionPaths(command.options, flags);
  requireSeparatePaths({ inputs: [{ option: "the model", path }, ...inputs], outputs });
  const trained = await modelWithFunction(await readFileOrRefuse(path), path, flags.function);
  say(field("model", `${path}: ${modelText(trained)}`));
  if (onnx !== undefined) {
    const { saveOnnx } = await import("../../formats/onnx/index.ts");
    await writeFileAtomically(onnx, saveOnnx(trained));
    say(field("onnx", `${onnx}: ${onnxText(trained)}`));
  }
  if (safetensors !== undefined) {
    const code = pytorchCode(trained, safetensors);
    await writeFileAtomically(safetensors, savePytorch(trained));
    say(field("pytorch", `${safetensors}; this code loads it:`));
    print(["", ...code.split("\n")]);
  }
  if (gpt2 !== undefined) {
    const { model } = trained;
    if (!("inputShape" in model)) {
      const what = "GPT-2's names are those of a chain of layers, and this is a functional model";
      throw new OptionError({ where: "--gpt2", what, fix: "Use --safetensors" });
    }
    await writeFileAtomically(gpt2, saveGpt2(model));
    say(field("gpt-2", `${gpt2}; this code loads it:`));
    print(["", ...gpt2Code(model, gpt2).split("\n")]);
  }
}

function modelText({ model }: AnyTrainedModel): string {
  if ("inputShape" in model) return networkText(model);
  const values = [...model.parameters, ...model.states].reduce((total, { size }) => total + size, 0);
  return `a functional model, ${counted(values, "value")}`;
}

const batchOf = (shape: readonly number[]) => `[${["batch", ...shape].join(", ")}]`;

function onnxText(trained: AnyTrainedModel): string {
  if (hasFunction(trained)) {
    const { inputs, outputs } = trained.model;
    const given = Object.entries(inputs).map(([name, { shape }]) => `${name} ${batchOf(shape)}`);
    const found = Object.entries(outputs).map(([name, shape]) => `${name} ${batchOf(shape)}`);
    return `${given.join(", ")} → ${found.join(", ")}`;
  }
  const { model, loss } = trained;
  const outputs = lossName(loss).endsWith("CrossEntropy") ? "logits, probabilities" : "outputs";
  return `features ${batchOf(model.inputShape)} → ${outputs} ${batchOf(model.outputShape)}`;
}
