import { join } from "node:path";
import { Option, type Command } from "commander";
import { OptionError } from "../../errors.ts";
import { makeFolderOrRefuse } from "../../node/files.ts";
import { applyConfigFile, configOption, configurationOf, settableOptions } from "../options/config.ts";
import { mnistPaths } from "../options/data-options.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { wholeNumber } from "../options/parsers.ts";
import { settleNetwork } from "../options/network-choice.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { trainOptions, type TrainFlags } from "../options/train-options.ts";
import { filesOf, Sweep } from "../sweep/sweep.ts";
import { gridRuns, parseChoices, parseRange, randomRuns, type Changes } from "../sweep/sweep-plan.ts";
import { say } from "../text/terminal.ts";
import { adapterText, counted, field } from "../text/text.ts";
import { trainingBackend } from "../training/backend.ts";
import { loadStartingModel } from "../training/starting-model.ts";

interface SweepFlags {
  readonly grid: readonly string[];
  readonly range: readonly string[];
  readonly random?: number;
  readonly out: string;
  readonly config?: string;
}

const EXAMPLES = `
Example:
  wgrad sweep --grid lr=0.001,0.002 --grid hidden=64,128 --epochs 2 --out runs
  wgrad sweep --csv flowers.csv --label species --grid "hidden=8;8,4" --out runs
  wgrad sweep --random 20 --range lr=1e-4..1e-2:log --range batch=16..64 --out r

The folder holds a file for each finished run: the same command continues an
interrupted sweep, and a command with more values trains only the missing runs.
The best model has the lowest validation loss of all runs in the folder.`;

const repeatable = (flags: string, description: string) =>
  new DeclaredOption(flags, description)
    .argParser((text: string, before: readonly string[]) => [...before, text])
    .default([], "none")
    .withFacts({ isRepeatable: true });

/** `wgrad sweep`. */
export function sweepCommand(command: Command): Command {
  command
    .description("Trains with several settings, compares the runs on held-out examples, and keeps the best model.")
    .addOption(repeatable("--grid <option=values>", "try each of these values; several --grid give all combinations"))
    .addOption(
      new Option("--random <runs>", "draw this many random settings instead of all combinations").argParser(
        wholeNumber("--random", 1),
      ),
    )
    .addOption(
      repeatable("--range <option=a..b>", "draw a number uniformly from a range; :log after it draws log-uniformly"),
    )
    .addOption(
      new DeclaredOption("--out <folder>", "folder for the results and the best model")
        .withFacts({ file: "output" })
        .makeOptionMandatory(),
    );
  for (const option of trainOptions()) {
    if (option.facts.sweep === "none") continue;
    if (option.attributeName() === "validation") {
      option.default(0.1).description = "fraction of the examples held out to compare the runs, stratified by class";
    }
    command.addOption(option);
  }
  return command
    .addOption(configOption())
    .addHelpText("after", EXAMPLES)
    .action(() => sweep(command));
}

async function sweep(command: Command): Promise<void> {
  const { config, out } = command.opts<SweepFlags>();
  if (config !== undefined) await applyConfigFile(command, config);
  const runs = plannedRuns(command);
  settleNetwork(command, [...new Set(runs.flatMap((changes) => Object.keys(changes)))]);
  const start = await loadStartingModel(command);
  const flags = command.opts<TrainFlags>();
  if (flags.validation === 0) {
    throw new OptionError({
      where: "--validation",
      what: "the runs of a sweep are compared on held-out examples, but none are held out",
      fix: "Give a fraction above 0, such as 0.1",
    });
  }
  const { inputs, outputs } = optionPaths(command.options, flags);
  const results = filesOf(runs, configurationOf(command)).map((name) => ({ option: "--out", path: join(out, name) }));
  requireSeparatePaths({ inputs: [...inputs, ...mnistPaths(flags)], outputs: [...outputs, ...results] });
  await makeFolderOrRefuse(out);
  const backend = await trainingBackend(flags);
  try {
    say(field("sweep", `${counted(runs.length, "run")} in ${out}`));
    say(field("adapter", adapterText(backend)));
    await new Sweep(out, { flags, configuration: configurationOf(command), backend, start }).runAll(runs);
  } finally {
    backend.dispose();
  }
}

function plannedRuns(command: Command): Changes[] {
  const { grid, range, random } = command.opts<SweepFlags>();
  const { seed } = command.opts<TrainFlags>();
  const options = new Map([...settableOptions(command)].filter(([, { facts }]) => facts.sweep === "varied"));
  const choices = grid.map((text) => parseChoices(text, options));
  const ranges = range.map((text) => parseRange(text, options));
  if (choices.length + ranges.length === 0) {
    throw new OptionError({
      where: "sweep",
      what: "there is no option to vary",
      fix: "Give values such as --grid lr=0.001,0.002",
    });
  }
  if (random === undefined && ranges.length > 0) {
    throw new OptionError({
      where: "--range",
      what: "a range has infinitely many values",
      fix: "Add --random with the number of runs to draw",
    });
  }
  return random === undefined ? gridRuns(choices) : randomRuns(random, seed, ranges, choices);
}
