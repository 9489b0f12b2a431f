/*
 * A sweep on this machine: each trial is trained, evaluated on the held-out examples, and stored in a file of its own.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { withTrainedTrial, type TrainedTrial } from "../../cluster/sweeps/trial-training.ts";
import { DataError } from "../../errors.ts";
import { writeFileAtomically } from "../../node/index.ts";
import type { TrainFlags } from "../options/train-options.ts";
import { say } from "../text/terminal.ts";
import { counted, outcomeText } from "../text/text.ts";
import { Interruption } from "../training/interrupt.ts";
import type { Run } from "../training/training-run.ts";
import { SearchJobs, type Job, type Search } from "./asha.ts";
import {
  BEST,
  changesText,
  inOrderOfRuns,
  isBest,
  printResults,
  requireOneGood,
  RESULTS,
  writeResults,
  writeText,
} from "./sweep-ending.ts";
import { runName, type Changes } from "./sweep-plan.ts";
import type { RunResult } from "./sweep-results.ts";
import { TrialData, trialFlags } from "./trial-data.ts";
import { trialSource } from "./trial-source.ts";

/** The names of the files that a sweep writes to its folder. */
export function filesOf(
  runs: readonly Changes[],
  configuration: Readonly<Record<string, unknown>>,
  { rungs }: Pick<Search, "rungs">,
): string[] {
  const names = runs.map((changes) => runName({ ...configuration, ...changes }));
  const files = names.flatMap((name) =>
    rungs
      ? [checkpointOf(name), ...Array.from({ length: rungs.count }, (_, rung) => fileOf(name, rung))]
      : [fileOf(name, undefined)],
  );
  return [BEST, RESULTS, ...new Set(files)];
}

const fileOf = (run: string, rung: number | undefined) =>
  rung === undefined ? `${run}.json` : `${run}-rung${rung + 1}.json`;

const checkpointOf = (run: string) => `${run}-checkpoint.safetensors`;

/** A file as `fileOf` names it. */
const RESULT_FILE = /^([0-9a-f]{12})(?:-rung(\d+))?\.json$/;

type CommonParts = Omit<Run, "data" | "flags"> & { readonly flags: TrainFlags };

/** The trials of a sweep and the folder of their results. */
export class Sweep {
  readonly #folder: string;
  /** The settings that all trials share. */
  readonly #common: CommonParts;
  /** Results of finished trials, by their files. */
  readonly #done = new Map<string, RunResult>();
  readonly #data = new TrialData();
  readonly #interruption = new Interruption();

  constructor(folder: string, common: CommonParts) {
    this.#folder = folder;
    this.#common = common;
  }

  /**
   * Trains the trials that have no result in the folder yet, and prints and saves all results.
   * @throws DataError if every trial diverged
   */
  async runAll(runs: readonly Changes[], search: Search): Promise<void> {
    const results: RunResult[] = [];
    const names = runs.map((changes) => runName({ ...this.#common.configuration, ...changes }));
    await this.#readDone();
    const started = new SearchJobs(search);
    try {
      while (!started.isFinished && this.#interruption.exitCode === undefined) {
        const job = started.jobs[results.length]!;
        const result = await this.#resultOf(runs[job.trial]!, job, {
          rungs: search.rungs,
          place: search.rungs ? `${results.length + 1}` : `${results.length + 1}/${runs.length}`,
        });
        if (!result) break;
        results.push(result);
        started.finish({ ...job, score: result.score });
        await writeResults(this.#folder, inOrderOfRuns(results, names));
      }
    } finally {
      this.#interruption.stopListening();
    }
    printResults(this.#folder, results);
    if (started.isFinished) return requireOneGood(results);
    say(
      `interrupted after ${results.length} of ${counted(started.jobs.length, "run")}; the same command continues the sweep`,
    );
    process.exitCode = this.#interruption.exitCode ?? 0;
  }

  /** Returns the stored result of a trial, or trains it. @returns undefined if training was interrupted */
  async #resultOf(
    changes: Changes,
    job: Job,
    { rungs, place }: Pick<Search, "rungs"> & { readonly place: string },
  ): Promise<RunResult | undefined> {
    const configuration = { ...this.#common.configuration, ...changes };
    const name = runName(configuration);
    const rung = rungs && { ...rungs, index: job.rung };
    const file = fileOf(name, rung?.index);
    const label = `${changesText(changes)}${rung ? `, rung ${rung.index + 1}` : ""}`;
    const done = this.#done.get(file);
    if (done) {
      say(`${place}  ${label}: already done`);
      return done;
    }
    const flags = { ...this.#common.flags, ...changes } as TrainFlags;
    const data = await this.#data.of(flags, this.#common.start);
    const run: Run = { ...this.#common, flags: trialFlags(flags, data, rungs !== undefined), configuration, data };
    const checkpoint = rung && rung.index > 0 ? await this.#checkpoint(name) : undefined;
    const rest = async () => void (await setImmediate());
    const options = { signal: this.#interruption.signal, checkpoint, rung, rest };
    return withTrainedTrial(trialSource(run), options, async (trained) => {
      const result = { name, changes, ...trained.result, ...(rung && { rung: rung.index }) };
      const diverged = result.score === null ? "  (diverged)" : "";
      say(`${place}  ${label}: ${outcomeText({ part: "validation", ...trained.outcome })}${diverged}`);
      await this.#save({ run, trained, result, file, continues: rung !== undefined && rung.index < rung.count - 1 });
      return result;
    });
  }

  async #save(parts: {
    readonly run: Run;
    readonly trained: TrainedTrial;
    readonly result: RunResult;
    readonly file: string;
    readonly continues: boolean;
  }): Promise<void> {
    const { run, trained, result, file, continues } = parts;
    // Save the models first: the result file marks a trial as finished.
    if (isBest(result, [...this.#done.values()]))
      await writeFileAtomically(join(this.#folder, BEST), await trained.model());
    if (continues) await writeFileAtomically(join(this.#folder, checkpointOf(result.name)), await trained.checkpoint());
    const { configuration } = run;
    await writeText(this.#folder, file, `${JSON.stringify({ ...result, configuration }, undefined, 2)}\n`);
    this.#done.set(file, result);
  }

  /** The checkpoint of an earlier rung; undefined if it was removed, and the trial starts from the beginning. */
  #checkpoint(name: string): Promise<Uint8Array | undefined> {
    return readFile(join(this.#folder, checkpointOf(name))).catch(() => undefined);
  }

  /** Reads the results of earlier sweeps in the folder. */
  async #readDone(): Promise<void> {
    for (const file of await readdir(this.#folder)) {
      const [, name, rung] = RESULT_FILE.exec(file) ?? [];
      if (name === undefined) continue;
      const result = await readResult(join(this.#folder, file), name);
      this.#done.set(file, rung === undefined ? result : { ...result, rung: Number(rung) - 1 });
    }
  }
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
