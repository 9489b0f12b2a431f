import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { excerpt, OptionError } from "../../errors.ts";
import { describeFunctionalFile } from "../../formats/functional-file.ts";
import { hasFunction, loadModel, lossName, type AnyTrainedModel } from "../../formats/model.ts";
import { pytorchCode, savePytorch } from "../../formats/pytorch.ts";
import type { ModelFunction } from "../../nn/functional.ts";
import { writeFileAtomically } from "../../node/files.ts";
import { readFileOrRefuse } from "../../node/index.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { print, say } from "../text/terminal.ts";
import { counted, field } from "../text/text.ts";
import { networkText } from "../text/network-text.ts";

interface ExportFlags {
  readonly onnx?: string;
  readonly safetensors?: string;
  readonly function?: string;
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
        "--function <file>",
        "for a functional model, a JavaScript module whose default export is its function, such as MODEL.mjs",
      ).withFacts({ file: "input" }),
    )
    .addHelpText(
      "after",
      "\nExample:\n  wgrad export digits.safetensors --onnx digits.onnx" +
        "\n  wgrad export pairs.safetensors --function pairs.mjs --onnx pairs.onnx",
    )
    .action((path: string, flags: ExportFlags) => exportModel(path, flags, command));
}

async function exportModel(path: string, flags: ExportFlags, command: Command): Promise<void> {
  const { onnx, safetensors } = flags;
  if (onnx === undefined && safetensors === undefined) {
    throw new OptionError({
      where: "export",
      what: "there is nothing to write",
      fix: "Give a file with --onnx or --safetensors",
    });
  }
  const { inputs, outputs } = optionPaths(command.options, flags);
  requireSeparatePaths({ inputs: [{ option: "the model", path }, ...inputs], outputs });
  const trained = await loadExported(path, flags.function);
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
}

/** @throws OptionError for a functional model without its function, or a function without such a model */
async function loadExported(path: string, functionFile: string | undefined): Promise<AnyTrainedModel> {
  const bytes = await readFileOrRefuse(path);
  const isFunctional = describeFunctionalFile(bytes, path) !== undefined;
  if (isFunctional && functionFile === undefined) {
    const what = "this is a functional model, whose function is not part of the file";
    const fix = "Give --function with a JavaScript module whose default export is the function";
    throw new OptionError({ where: path, what, fix });
  }
  if (functionFile === undefined) return loadModel(bytes, path);
  if (!isFunctional) {
    const what = `${path} is a model of layers in sequence, which has no function`;
    throw new OptionError({ where: "--function", what, fix: "Remove this option" });
  }
  return loadModel(bytes, path, { modelFunction: await importFunction(functionFile) });
}

/** @throws OptionError for a module that cannot be loaded, or whose default export is no function */
async function importFunction(path: string): Promise<ModelFunction> {
  const where = `--function ${path}`;
  const url = pathToFileURL(resolve(path)).href;
  let found: unknown;
  try {
    found = ((await import(/* @vite-ignore */ url)) as { default?: unknown }).default;
  } catch (cause) {
    const what = `the module cannot be loaded: ${(cause as Error).message}`;
    throw new OptionError({ where, what, fix: "Give a JavaScript module, such as MODEL.mjs" }, { cause });
  }
  if (typeof found === "function") return found as ModelFunction;
  const what = `its default export is ${excerpt(found)} instead of a function`;
  throw new OptionError({ where, what, fix: "Export the function that the model was made with as default" });
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
