import type { Command } from "commander";
import { createNodeBackend, loadModelFile, type DeviceChoice } from "../../node/index.ts";
import { createTextGenerator } from "../../train/index.ts";
import { tokenizerOf, usualPrompt } from "../data/text-model.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { atLeastZeroOption, deviceOption, positiveOption, textOption, wholeNumberOption } from "../options/options.ts";
import { readableText, warn, writeText } from "../text/terminal.ts";

interface GenerateFlags {
  readonly prompt?: string;
  readonly tokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
  readonly stop: readonly string[];
  readonly device: DeviceChoice;
}

const EXAMPLES = `
Example:
  wgrad generate shakespeare.safetensors --prompt "ROMEO:" --tokens 300
  wgrad generate names.safetensors --stop $'\\n' --temperature 0.6 --top-k 10`;

/** `wgrad generate`. */
export function generateCommand(command: Command): Command {
  return command
    .summary("Continues a text with a trained model.")
    .description("Continues a text with a model that was trained on text, and prints the tokens as they are generated.")
    .argument("<model>", "a file written by `wgrad train --text --out`")
    .addOption(
      textOption("--prompt <text>", "text to continue, at most as long as the context (default: a line break)"),
    )
    .addOption(wholeNumberOption("--tokens <number>", "most tokens to generate", 1).default(200))
    .addOption(
      atLeastZeroOption(
        "--temperature <number>",
        "divides the logits: below 1, likely tokens become more likely; 0 takes the most likely token",
      ).default(0.8),
    )
    .addOption(wholeNumberOption("--top-k <tokens>", "draw only from this many of the most likely tokens", 1))
    .addOption(
      positiveOption("--top-p <probability>", "draw only from the most likely tokens with this probability, at most 1"),
    )
    .addOption(wholeNumberOption("--seed <number>", "seed of the draws", 0, 2 ** 32 - 1).default(1))
    .addOption(
      new DeclaredOption("--stop <text>", "end before this text; repeat it for several")
        .argParser((text: string, before: readonly string[]) => [...before, text])
        .default([], "none")
        .withFacts({ isRepeatable: true }),
    )
    .addOption(deviceOption())
    .addHelpText("after", EXAMPLES)
    .action(generate);
}

async function generate(path: string, { device, prompt, ...options }: GenerateFlags): Promise<void> {
  const trained = await loadModelFile(path);
  const tokenizer = await tokenizerOf(trained, path);
  const backend = await createNodeBackend({ device, log: warn });
  try {
    const { model } = trained;
    const generator = await createTextGenerator({ model, session: backend.createSession(), tokenizer });
    const pieces = generator.generate({ ...options, prompt: prompt ?? usualPrompt(tokenizer) });
    // The prompt is printed once the first token shows that it is valid.
    let last = prompt ?? "";
    for await (const { text } of pieces) {
      last += text;
      if (!(await writeText(readableText(last)))) return;
      last = "";
    }
    await writeText("\n");
  } finally {
    backend.dispose();
  }
}
