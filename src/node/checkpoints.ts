import { link, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DataError, WgradError } from "../errors.ts";
import { loadCheckpoint, saveCheckpoint, type RunState } from "../formats/checkpoint.ts";
import type { TrainedModel } from "../formats/model.ts";
import { makeFolderOrRefuse, plainReason, writeFileAtomically } from "./files.ts";

/** A file that training goes on from. */
export interface KeptCheckpoint {
  readonly path: string;
  readonly trained: TrainedModel;
  readonly state: RunState;
}

/** Name of the copy of the best checkpoint. */
const BEST = "best.safetensors";

const stepFile = /^step-(\d{9,})\.safetensors$/;

/** The names of files in such a folder. */
export const checkpointFile = /^(best|step-\d+)\.safetensors$/;

const fileOf = (step: number) => `step-${String(step).padStart(9, "0")}.safetensors`;

const stepOf = (name: string) => Number(stepFile.exec(name)![1]);

/** Names that `writeFileAtomically` gives to what is not yet whole. */
const temporaryFile = /^\.(step-\d+|best)\.safetensors\.[0-9a-f]+\.tmp$/;

/** What became of a save. */
export interface SavedCheckpoint {
  readonly path: string;
  /** Whether `best` is this checkpoint now. */
  readonly isBest: boolean;
  /** What could not be done besides: older checkpoints that stay, a `best` that could not be replaced. */
  readonly failures: readonly DataError[];
}

/**
 * The checkpoints of a run in a folder: the last few, and the best. A file that this class neither wrote nor read whole
 * is never replaced or removed.
 */
export class CheckpointFolder {
  readonly #path: string;
  readonly #keep: number;
  /** Whether a file is whole, by its name: it was written here or read. */
  readonly #known = new Map<string, { readonly reason?: string }>();

  /**
   * @param path the folder, made by the first `save`
   * @param keep how many of the last are kept, at least 1, besides the best
   */
  constructor(path: string, keep: number) {
    this.#path = path;
    this.#keep = keep;
  }

  /**
   * Writes a checkpoint, and only then removes older ones.
   * @param isBest whether it is better than all before
   * @throws DataError with the path and the reason where it cannot be written; what was there before stays whole
   */
  async save(trained: TrainedModel, state: RunState, isBest: boolean): Promise<SavedCheckpoint> {
    await makeFolderOrRefuse(this.#path);
    const name = fileOf(trained.step);
    const path = join(this.#path, name);
    const bytes = saveCheckpoint(trained, state);
    await this.#requireReplaceable(name);
    await writeFileAtomically(path, bytes);
    this.#known.set(name, {});
    const failures: DataError[] = [];
    const note = (error: unknown): void => {
      if (!(error instanceof DataError)) throw error;
      failures.push(error);
    };
    const becameBest = isBest && (await this.#keepAsBest(path, bytes).then(() => true, note)) === true;
    for (const other of await this.#superfluous(trained.step)) await this.#remove(other).catch(note);
    return { path, isBest: becameBest, failures };
  }

  /**
   * The newest checkpoint that can be read.
   * @param report takes a line for each newer one that cannot
   * @returns undefined where there is none
   * @throws DataError where the folder cannot be read; and where there are checkpoints of which none can be read, naming
   * each and the reason
   */
  async newest(report: (line: string) => void): Promise<KeptCheckpoint | undefined> {
    const names = (await this.#stepFiles()).reverse();
    const refusals: string[] = [];
    for (const name of names) {
      const found = await this.#read(name);
      if (!("reason" in found)) {
        for (const refusal of refusals) report(`${refusal}. It is passed over and left as it is.`);
        return found;
      }
      refusals.push(`${join(this.#path, name)}: ${found.reason}`);
    }
    if (names.length === 0 && (await this.#names()).includes(BEST)) refusals.push(`only ${BEST} is there`);
    if (refusals.length === 0) return undefined;
    throw new DataError({
      where: this.#path,
      what: `there are checkpoints, but none to go on from: ${refusals.join("; ")}`,
      fix: "Repair or move these files, or choose another folder",
    });
  }

  /** Removes what a killed process left unfinished, where it can: such a file does no harm. */
  async removeUnfinished(): Promise<void> {
    const names = (await this.#names()).filter((name) => temporaryFile.test(name));
    await Promise.allSettled(names.map((name) => rm(join(this.#path, name), { force: true })));
  }

  async #read(name: string): Promise<KeptCheckpoint | { readonly reason: string }> {
    const path = join(this.#path, name);
    try {
      const found = { path, ...loadCheckpoint(await readFile(path), path) };
      this.#known.set(name, {});
      return found;
    } catch (error) {
      const refusal = { reason: error instanceof WgradError ? error.what : plainReason(error) };
      this.#known.set(name, refusal);
      return refusal;
    }
  }

  /** @returns why the file cannot be read; undefined where it was written here or read whole */
  async #faultOf(name: string): Promise<string | undefined> {
    if (!this.#known.has(name)) await this.#read(name);
    return this.#known.get(name)!.reason;
  }

  /** @throws DataError where there is a file of this name that was not written here and cannot be read */
  async #requireReplaceable(name: string): Promise<void> {
    if (!(await this.#names()).includes(name)) return;
    const reason = await this.#faultOf(name);
    if (reason === undefined) return;
    const what = `cannot be written: what is there is kept, because it cannot be read (${reason})`;
    throw new DataError({ where: join(this.#path, name), what, fix: "Move it to another folder" });
  }

  /** Both names stand for one file where the file system can do that. */
  async #keepAsBest(path: string, bytes: Uint8Array): Promise<void> {
    await this.#requireReplaceable(BEST);
    const best = join(this.#path, BEST);
    const temporary = join(this.#path, `.${BEST}.${process.pid.toString(16)}.tmp`);
    try {
      await rm(temporary, { force: true });
      await link(path, temporary);
      await rename(temporary, best);
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
      await writeFileAtomically(best, bytes);
    }
    this.#known.set(BEST, {});
  }

  /** Of the whole ones up to this step all but the last few, and the later ones, before which the run went back. */
  async #superfluous(step: number): Promise<string[]> {
    const others: string[] = [];
    let kept = 0;
    for (const name of (await this.#stepFiles()).reverse()) {
      if ((await this.#faultOf(name)) !== undefined) continue;
      if (stepOf(name) > step || kept === this.#keep) others.push(name);
      else kept++;
    }
    return others;
  }

  async #remove(name: string): Promise<void> {
    try {
      await rm(join(this.#path, name), { force: true });
      this.#known.delete(name);
    } catch (cause) {
      const what = `the old checkpoint cannot be removed: ${plainReason(cause)}`;
      throw new DataError(
        { where: join(this.#path, name), what, fix: "Remove it yourself, or make the folder writable" },
        { cause },
      );
    }
  }

  /** From the oldest step to the newest. */
  async #stepFiles(): Promise<string[]> {
    return (await this.#names())
      .filter((name) => stepFile.test(name))
      .sort((one, other) => stepOf(one) - stepOf(other));
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
      const what = `the checkpoints cannot be read: ${plainReason(cause)}`;
      throw new DataError({ where: this.#path, what, fix: "Choose another folder" }, { cause });
    }
  }
}
