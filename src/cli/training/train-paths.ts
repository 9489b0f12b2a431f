import type { Command } from "commander";
import { basename, join } from "node:path";
import { checkpointFile } from "../../node/checkpoints.ts";
import { textFiles } from "../../node/text.ts";
import { mnistPaths } from "../options/data-options.ts";
import { optionPaths, type CommandPaths, type GivenPath } from "../options/paths.ts";
import type { TrainFlags } from "../options/train-options.ts";

/** The files and folders of `wgrad train`: those that its options name, and files in folders that it reads or writes. */
export async function trainPaths(command: Command): Promise<CommandPaths> {
  const flags = command.opts<TrainFlags>();
  const { inputs, outputs } = optionPaths(command.options, flags);
  const texts = flags.text === undefined ? [] : await textFiles(flags.text);
  const allInputs = [...inputs, ...mnistPaths(flags), ...texts.map((path) => ({ option: "--text", path }))];
  return { inputs: allInputs, outputs: [...checkpointPaths(flags.checkpoint, [...allInputs, ...outputs]), ...outputs] };
}

/** The files in the checkpoint folder that another option names. */
function checkpointPaths(folder: string | undefined, others: readonly GivenPath[]): GivenPath[] {
  if (folder === undefined) return [];
  const names = others.map(({ path = "" }) => basename(path)).filter((name) => checkpointFile.test(name));
  return [...new Set(names)].map((name) => ({ option: "--checkpoint", path: join(folder, name) }));
}
