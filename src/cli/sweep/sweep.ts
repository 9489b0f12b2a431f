/*
 * The runs of a sweep: each is trained, evaluated on the held-out examples, and stored in a file of its own.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { DataError, DivergedError } from "../../errors.ts";
import { writeFileAtomically } from "../../node/index.ts";
import { loadTrainingSource, type TrainingSource } from "../data/data-source.ts";
import { settledFlags } from "../options/defaults.ts";
import { trainOptions, type TrainFlags } from "../options/train-options.ts";
import { print, say } from "../text/terminal.ts";
import { counted, field, outcomeText } from "../text/text.ts";
import { Interruption } from "../training/interrupt.ts";
import { dataForStart } from "../training/starting-model.ts";
import { fitRun, measure, prepare, saveRun, type Outcome, type Run, type Subject } from "../training/training-run.ts";
import { runName, type Changes } from "./sweep-plan.ts";
import { resultsCsv, resultsTable, type RunResult } from "./sweep-results.ts";

/** The name of the best model's file. */
const BEST = "best.safetensors";

/** The name of the file with all results. */
const RESULTS = "results.csv";

/** The names of the files that a sweep writes to its folder. */
export function filesOf(runs: readonly Changes[], configuration: Readonly<Record<string, unknown>>): string[] {
  return [BEST, RESULTS, ...new Set(runs.map((changes) => fileOf(runName({ ...configuration, ...changes }))))];
}

const fileOf = (run: string) => `${run}.json`;

type CommonParts = Omit<Run, "data" | "flags"> & { readonly flags: TrainFlags };

/** The runs of a sweep and the folder of their results. */
export class Sweep {
  readonly #folder: string;
  /** The settings that all runs share. */
  readonly #common: CommonParts;
  /** Results of finished runs, by the runs' names. */
  readonly #done = new Map<string, RunResult>();
  /** The data of the last run, which the next run usually shares. */
  #data: { readonly key: string; readonly source: TrainingSource } | undefined;

  constructor(folder: string, common: CommonParts) {
    this.#folder = folder;
    this.#common = common;
  }

  /**
   * Trains the runs that have no result in the folder yet, and prints and saves all results.
   * @throws DataError if every run diverged
   */
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
      say(
        `interrupted after ${results.length} of ${counted(runs.length, "run")}; the same command continues the sweep`,
      );
      process.exitCode = interruption.exitCode ?? 0;
    } else if (results.every(({ score }) => score === null)) throw allDiverged(results.length);
  }

  /** Returns the stored result of a run, or trains it. @returns undefined if training was interrupted */
  async #resultOf(changes: Changes, place: string, interruption: Interruption): Promise<RunResult | undefined> {
    const configuration = { ...this.#common.configuration, ...changes };
    const name = runName(configuration);
    const done = this.#done.get(name);
    const label = Object.entries(changes)
      .map(([option, value]) => `${option} ${String(value)}`)
      .join(", ");
    if (done) {
      say(`${place}  ${label}: already done`);
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
      // Save the model first: the result file marks a run as finished.
      if (isBest(result, [...this.#done.values()])) await saveRun(join(this.#folder, BEST), run, subject, outcome);
      await this.#write(fileOf(name), `${JSON.stringify({ ...result, configuration }, undefined, 2)}\n`);
      this.#done.set(name, result);
      return result;
    } finally {
      subject.trainer.dispose();
    }
  }

  /** @returns why training stopped; undefined if it was interrupted */
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
      // The other runs continue. This run is evaluated with the parameters from before the step that diverged.
      if (error instanceof DivergedError) return "diverged";
      throw error;
    } finally {
      await steps.return(undefined as never);
    }
  }

  /** Reads the data of a run, unless the run before has the same values of all options that select data. */
  async #dataOf(flags: TrainFlags): Promise<TrainingSource> {
    const key = dataKey(flags);
    const { start } = this.#common;
    if (this.#data?.key !== key) {
      const source = withoutTest(await loadTrainingSource(flags));
      this.#data = { key, source: start && source.kind === "examples" ? dataForStart(source, start) : source };
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

/** The values of all options that select the data. */
function dataKey(flags: TrainFlags): string {
  const values: Readonly<Record<string, unknown>> = { ...flags };
  const names = trainOptions()
    .filter(({ facts }) => facts.selectsData)
    .map((option) => option.attributeName());
  return JSON.stringify(names.map((name) => values[name] ?? null));
}

async function readResult(path: string, name: string): Promise<RunResult> {
  try {
    const { changes, score, metrics, steps, stop, seconds } = JSON.parse(await readFile(path, "utf8")) as RunResult;
    if (typeof changes === "object" && typeof metrics === "object")
      return { name, changes, score, metrics, steps, stop, seconds };
  } catch {
    // An unreadable file is refused below, like an invalid one.
  }
  throw new DataError({
    where: path,
    what: "this is not the result of a run",
    fix: "Remove the file, and the run is trained again",
  });
}

const allDiverged = (runs: number) =>
  new DataError({
    where: "sweep",
    what:
      runs === 1
        ? "the only run diverged, so there is no best model"
        : `all ${runs} runs diverged, so there is no best model`,
    fix: "Try smaller values of --lr, add --clip-norm 1, or look for values in the data that are far too large",
  });

/** The best model is chosen on held-out examples, so that the test set stays unseen. */
const withoutTest = (source: TrainingSource): TrainingSource => ({ ...source, test: undefined });

/** A run has diverged if its validation loss is more than this many times the loss before the first step. */
const MOST_LOSS_GROWTH = 100;

/** The score is the validation loss; null if training diverged. */
function resultOf(
  { evaluation, regression, language }: Outcome,
  hasDiverged: boolean,
): Pick<RunResult, "score" | "metrics"> {
  const { loss, accuracy } = evaluation;
  return {
    score: hasDiverged ? null : loss,
    metrics: { loss, ...(regression ?? language ?? { accuracy }) },
  };
}

const isBest = ({ score }: RunResult, before: readonly RunResult[]) =>
  score !== null && before.every((other) => other.score === null || score < other.score);
