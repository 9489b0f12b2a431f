import type { Command } from "commander";
import { OptionError } from "../../errors.ts";
import { lossName, type TrainedModel } from "../../formats/model.ts";
import { gpt2Code, saveGpt2 } from "../../formats/gpt2.ts";
import { pytorchCode, savePytorch } from "../../formats/pytorch.ts";
import { writeFileAtomically } from "../../node/files.ts";
import { loadModelFile } from "../../node/index.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { print, say } from "../text/terminal.ts";
import { field } from "../text/text.ts";
import { networkText } from "../text/network-text.ts";

interface ExportFlags {
  readonly onnx?: string;
  readonly safetensors?: string;
  readonly gpt2?: string;
}

/** `wgrad export`. */
export function exportCommand(command: Command): Command {
  return command
    .description("Exports a trained model as ONNX, with the normalization included, or as safetensors for PyTorch.")
    .argument("<model>", "a file written by `wgrad train --out`")
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
    .addHelpText("after", "\nExample:\n  wgrad export digits.safetensors --onnx digits.onnx")
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
  requireSeparatePaths({
    inputs: [{ option: "the model", path }],
    outputs: optionPaths(command.options, flags).outputs,
  });
  const trained = await loadModelFile(path);
  const { model } = trained;
  say(field("model", `${path}: ${networkText(model)}`));
  if (onnx !== undefined) {
    const { saveOnnx } = await import("../../formats/onnx/index.ts");
    await writeFileAtomically(onnx, saveOnnx(trained));
    say(field("onnx", `${onnx}: ${onnxText(trained)}`));
  }
  if (safetensors !== undefined) {
    await writeFileAtomically(safetensors, savePytorch(trained));
    say(field("pytorch", `${safetensors}; this code loads it:`));
    print(["", ...pytorchCode(trained, safetensors).split("\n")]);
  }
  if (gpt2 !== undefined) {
    await writeFileAtomically(gpt2, saveGpt2(model));
    say(field("gpt-2", `${gpt2}; this code loads it:`));
    print(["", ...gpt2Code(model, gpt2).split("\n")]);
  }
}

function onnxText({ model, loss }: TrainedModel): string {
  const outputs = lossName(loss).endsWith("CrossEntropy") ? "logits, probabilities" : "outputs";
  const batchOf = (shape: readonly number[]) => `[${["batch", ...shape].join(", ")}]`;
  return `features ${batchOf(model.inputShape)} → ${outputs} ${batchOf(model.outputShape)}`;
}
