import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Option, type Command } from "commander";
import { DataError, DivergedError, OptionError } from "../../errors.ts";
import { makeFolderOrRefuse } from "../../node/files.ts";
import { createNodeBackend, writeFileAtomically } from "../../node/index.ts";
import { applyConfigFile, configOption, configurationOf, settableOptions } from "../options/config.ts";
import { sourcePaths } from "../options/data-options.ts";
import { loadTrainingSource, type TrainingSource } from "../data/data-source.ts";
import { settledFlags } from "../options/defaults.ts";
import { Interruption } from "../training/interrupt.ts";
import { wholeNumber } from "../options/options.ts";
import { dataForStart, loadStartingModel } from "../training/starting-model.ts";
import { gridRuns, parseChoices, parseRange, randomRuns, runName, type Changes } from "../sweep/sweep-plan.ts";
import { resultsCsv, resultsTable, type RunResult } from "../sweep/sweep-results.ts";
import { requireSeparatePaths } from "../options/paths.ts";
import { print, say, warn } from "../text/terminal.ts";
import { adapterText, counted, field, outcomeText } from "../text/text.ts";
import { trainOptions, type TrainFlags } from "../options/train-options.ts";
import { fitRun, measure, prepare, saveRun, type Outcome, type Run, type Subject } from "../training/training-run.ts";

interface SweepFlags {
  readonly grid: readonly string[];
  readonly range: readonly string[];
  readonly random?: number;
  readonly out: string;
  readonly config?: string;
}

/** Options of `wgrad train` that a sweep sees to itself. */
const notSwept = new Set([
  "out", "log", "report", "testCsv", "testImages", "testLabels", "checkpoint", "every", "keep", "resume", "takeOver", "onCheckpointError",
]);

/** What must be the same for all, or their validation losses could not be compared. */
const notVaried = new Set(["csv", "data", "device", "images", "init", "label", "labels", "loss", "splitSeed", "task", "validation"]);

const EXAMPLES = `
Example:
  wgrad sweep --grid lr=0.001,0.002 --grid hidden=64,128 --epochs 2 --out runs
  wgrad sweep --csv flowers.csv --label species --grid "hidden=8;8,4" --out runs
  wgrad sweep --random 20 --range lr=1e-4..1e-2:log --range batch=16..64 --out r

A folder holds a file for each run that is done: the same command again goes on
where it was interrupted, and one with more values makes only what is missing.
The best model is that of the lowest validation loss of all runs in the folder.`;

const collected = (text: string, before: readonly string[]): string[] => [...before, text];

/** `wgrad sweep`. */
export function sweepCommand(command: Command): Command {
  command
    .description("Trains with several settings, compares them on examples that are held back, and keeps the best model.")
    .addOption(new Option("--grid <option=values>", "try each of these values; several of them give all combinations").argParser(collected).default([], "none"))
    .addOption(new Option("--random <runs>", "draw so many settings instead of all combinations").argParser(wholeNumber("--random", 1)))
    .addOption(new Option("--range <option=a..b>", "draw a number from a range; with :log after it, its logarithm").argParser(collected).default([], "none"))
    .addOption(new Option("--out <folder>", "where results and the best model are kept").makeOptionMandatory());
  for (const option of trainOptions()) {
    if (notSwept.has(option.attributeName())) continue;
    if (option.attributeName() === "validation") {
      option.default(0.1).description = "of the examples held back to compare the runs, such as 0.1; of each class alike";
    }
    command.addOption(option);
  }
  return command.addOption(configOption()).addHelpText("after", EXAMPLES).action(() => sweep(command));
}

async function sweep(command: Command): Promise<void> {
  const { config, out } = command.opts<SweepFlags>();
  if (config !== undefined) await applyConfigFile(command, config);
  const start = await loadStartingModel(command);
  const runs = plannedRuns(command);
  const flags = command.opts<TrainFlags>();
  if (flags.validation === 0) {
    throw new OptionError({ where: "--validation", what: "there is nothing to compare the runs on", fix: "Hold a share back, such as 0.1" });
  }
  const results = [BEST, RESULTS, ...runs.map((changes) => `${runName({ ...configurationOf(command), ...changes })}.json`)];
  requireSeparatePaths({
    inputs: [{ option: "--config", path: config }, { option: "--init", path: flags.init }, ...sourcePaths(flags)],
    outputs: [{ option: "--out", path: out }, ...[...new Set(results)].map((name) => ({ option: "--out", path: join(out, name) }))],
  });
  await makeFolderOrRefuse(out);
  const backend = await createNodeBackend({ device: flags.device, log: warn });
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
  const options = new Map([...settableOptions(command)].filter(([name]) => !notVaried.has(name)));
  const choices = grid.map((text) => parseChoices(text, options));
  const ranges = range.map((text) => parseRange(text, options));
  if (choices.length + ranges.length === 0) {
    throw new OptionError({ where: "sweep", what: "there is nothing to vary", fix: "Give values such as --grid lr=0.001,0.002" });
  }
  if (random === undefined && ranges.length > 0) {
    throw new OptionError({ where: "--range", what: "a range has no end of values", fix: "Say how many to draw with --random" });
  }
  return random === undefined ? gridRuns(choices) : randomRuns(random, seed, ranges, choices);
}

type CommonParts = Omit<Run, "data" | "flags"> & { readonly flags: TrainFlags };

/** The runs of a sweep and the folder of their results. */
class Sweep {
  readonly #folder: string;
  /** What all runs have in common. */
  readonly #common: CommonParts;
  /** Runs that are done, by their names. */
  readonly #done = new Map<string, RunResult>();
  /** The data of the last run, which most often are those of the next. */
  #data: { readonly key: string; readonly source: TrainingSource } | undefined;

  constructor(folder: string, common: CommonParts) {
    this.#folder = folder;
    this.#common = common;
  }

  async runAll(runs: readonly Changes[]): Promise<void> {
    const interruption = new Interruption();
    const results: RunResult[] = [];
    await this.#readDone();
    try {
      for (const [index, changes] of runs.entries()) {
        const result = await this.#resultOf(changes, `${index + 1}/${runs.length}`, interruption);
        if (!result) break;
        results.push(result);
        await this.#write(RESULTS, resultsCsv(results));
      }
    } finally {
      interruption.stopListening();
    }
    if (results.length > 0) print(["", ...resultsTable(results), ""]);
    if (results.some(({ score }) => score !== null)) say(field("best", join(this.#folder, BEST)));
    say(field("results", join(this.#folder, RESULTS)));
    if (results.length < runs.length) {
      say(`interrupted after ${results.length} of ${counted(runs.length, "run")}; the same command goes on`);
      process.exitCode = interruption.exitCode ?? 0;
    } else if (results.every(({ score }) => score === null)) throw allDiverged(results.length);
  }

  /** From its file where the run is done, else by training. @returns undefined where it was interrupted */
  async #resultOf(changes: Changes, place: string, interruption: Interruption): Promise<RunResult | undefined> {
    const configuration = { ...this.#common.configuration, ...changes };
    const name = runName(configuration);
    const done = this.#done.get(name);
    const label = Object.entries(changes).map(([option, value]) => `${option} ${String(value)}`).join(", ");
    if (done) {
      say(`${place}  ${label}: done before`);
      return done;
    }
    const flags = { ...this.#common.flags, ...changes } as TrainFlags;
    const data = await this.#dataOf(flags);
    const run: Run = { ...this.#common, flags: settledFlags(flags, data), configuration, data };
    const subject = await prepare(run);
    try {
      const began = performance.now();
      const { evaluation: before } = await measure(run, subject.trainer);
      const stop = await this.#train(run, subject, interruption);
      if (stop === undefined) return undefined;
      const outcome = await measure(run, subject.trainer);
      const hasDiverged = stop === "diverged" || !(outcome.evaluation.loss <= MOST_LOSS_GROWTH * before.loss);
      say(`${place}  ${label}: ${outcomeText(outcome)}${hasDiverged ? "  (diverged)" : ""}`);
      const seconds = (performance.now() - began) / 1000;
      const result = { name, changes, ...resultOf(outcome, hasDiverged), steps: subject.trainer.step, stop, seconds };
      // The model first: a run whose file is there is done with all that belongs to it.
      if (isBest(result, [...this.#done.values()])) await saveRun(join(this.#folder, BEST), run, subject, outcome);
      await this.#write(`${name}.json`, `${JSON.stringify({ ...result, configuration }, undefined, 2)}\n`);
      this.#done.set(name, result);
      return result;
    } finally {
      subject.trainer.dispose();
    }
  }

  /** @returns why it stopped; undefined where it was interrupted */
  async #train(run: Run, { trainer }: Subject, interruption: Interruption): Promise<string | undefined> {
    const steps = fitRun(run, trainer, { signal: interruption.signal });
    try {
      for (;;) {
        const next = await steps.next();
        if (interruption.exitCode !== undefined) return undefined;
        if (next.done) return next.value.kind;
        await setImmediate();
      }
    } catch (error) {
      // The others go on; what it is worth is measured with the parameters from before that step.
      if (error instanceof DivergedError) return "diverged";
      throw error;
    } finally {
      await steps.return(undefined as never);
    }
  }

  /** The same examples for runs that differ in no option of the data. */
  async #dataOf(flags: TrainFlags): Promise<TrainingSource> {
    const { csv, data, images, labels, label, task, header, delimiter, drop, categorical, refuseText, maxCategories, decimal, dates } = flags;
    const { missing, validation, standardize } = flags;
    const settings = [csv, data, images, labels, label, task, header, delimiter, drop, categorical, refuseText, maxCategories, decimal, dates];
    const key = JSON.stringify([...settings, missing, validation, standardize]);
    const { start } = this.#common;
    if (this.#data?.key !== key) {
      const source = withoutTest(await loadTrainingSource(flags));
      this.#data = { key, source: start ? dataForStart(source, start) : source };
    }
    return this.#data.source;
  }

  /** Reads the results of earlier sweeps in the folder. */
  async #readDone(): Promise<void> {
    for (const file of await readdir(this.#folder)) {
      const name = /^([0-9a-f]{12})\.json$/.exec(file)?.[1];
      if (name !== undefined) this.#done.set(name, await readResult(join(this.#folder, file), name));
    }
  }

  #write(name: string, text: string): Promise<void> {
    return writeFileAtomically(join(this.#folder, name), new TextEncoder().encode(text));
  }
}

async function readResult(path: string, name: string): Promise<RunResult> {
  try {
    const { changes, score, metrics, steps, stop, seconds } = JSON.parse(await readFile(path, "utf8")) as RunResult;
    if (typeof changes === "object" && typeof metrics === "object") return { name, changes, score, metrics, steps, stop, seconds };
  } catch {
    // It is refused below.
  }
  throw new DataError({ where: path, what: "this is no result of a run", fix: "Remove the file, and the run is made again" });
}

const allDiverged = (runs: number) =>
  new DataError({
    where: "sweep",
    what: runs === 1 ? "the only run diverged, so there is no best model" : `all ${runs} runs diverged, so there is no best model`,
    fix: "Try smaller values of --lr, add --clip-norm 1, or look for values in the data that are far too large",
  });

const BEST = "best.safetensors";

const RESULTS = "results.csv";

/** The best model is chosen on what was held back, so that the test set stays unseen. */
const withoutTest = (source: TrainingSource): TrainingSource => ({ ...source, test: undefined });

/** A run has diverged if its validation loss is more than this many times the loss before the first step. */
const MOST_LOSS_GROWTH = 100;

/** The score is the validation loss, which the best run has lowest; null where training diverged. */
function resultOf({ evaluation, regression }: Outcome, hasDiverged: boolean): Pick<RunResult, "score" | "metrics"> {
  const { loss, accuracy } = evaluation;
  return {
    score: hasDiverged ? null : loss,
    metrics: regression ? { loss, r2: regression.r2, rmse: regression.rmse, mae: regression.mae } : { loss, accuracy },
  };
}

const isBest = ({ score }: RunResult, before: readonly RunResult[]) =>
  score !== null && before.every((other) => other.score === null || score < other.score);
