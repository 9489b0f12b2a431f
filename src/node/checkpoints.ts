import { link, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DataError, WgradError } from "../errors.ts";
import { loadCheckpoint, saveCheckpoint, type CheckpointState, type LoadedState } from "../formats/checkpoint.ts";
import type { TrainedModel } from "../formats/model.ts";
import { makeFolderOrRefuse, plainReason, writeFileAtomically } from "./files.ts";

/** A checkpoint that was read from a file. */
export interface KeptCheckpoint {
  readonly path: string;
  readonly trained: TrainedModel;
  readonly state: LoadedState;
}

/** Name of the copy of the best checkpoint. */
const BEST = "best.safetensors";

const stepFile = /^step-(\d{9,})\.safetensors$/;

/** The names of files in a checkpoint folder. */
export const checkpointFile = /^(best|step-\d+)\.safetensors$/;

const fileOf = (step: number) => `step-${String(step).padStart(9, "0")}.safetensors`;

const stepOf = (name: string) => Number(stepFile.exec(name)![1]);

/** The temporary names of `writeFileAtomically` for unfinished checkpoints. */
const temporaryFile = /^\.(step-\d+|best)\.safetensors\.[0-9a-f]+\.tmp$/;

/** The result of a save. */
export interface SavedCheckpoint {
  readonly path: string;
  /** Whether `best` is now this checkpoint. */
  readonly isBest: boolean;
  /** Other failures: older checkpoints that could not be removed, or a `best` that could not be replaced. */
  readonly failures: readonly DataError[];
}

/**
 * The checkpoints of a run in a folder: the most recent ones, and the best. A file that this object neither wrote nor could
 * read completely is never replaced or removed.
 */
export class CheckpointFolder {
  readonly #path: string;
  readonly #keep: number;
  /** By name, the files that were written or read here; those that could not be read have a reason. */
  readonly #known = new Map<string, { readonly reason?: string }>();

  /**
   * @param path the folder, created by the first `save`
   * @param keep the number of recent checkpoints to keep besides the best, at least 1
   */
  constructor(path: string, keep: number) {
    this.#path = path;
    this.#keep = keep;
  }

  /**
   * Writes a checkpoint, and afterwards removes older ones.
   * @param isBest whether it is better than all earlier ones
   * @throws DataError with the path and the reason if it cannot be written; existing files are then unchanged
   */
  async save(trained: TrainedModel, state: CheckpointState, isBest: boolean): Promise<SavedCheckpoint> {
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
    for (const other of await this.#outdated(trained.step)) await this.#remove(other).catch(note);
    return { path, isBest: becameBest, failures };
  }

  /**
   * Reads the newest checkpoint that is readable.
   * @param report receives a line for each newer checkpoint that is not
   * @returns undefined if there is no checkpoint
   * @throws DataError if the folder cannot be read, or if none of its checkpoints can be read; the message names each of
   * them with its reason
   */
  async newest(report: (line: string) => void): Promise<KeptCheckpoint | undefined> {
    const names = (await this.#stepFiles()).reverse();
    const refusals: string[] = [];
    for (const name of names) {
      const found = await this.#read(name);
      if (!("reason" in found)) {
        for (const refusal of refusals) report(`${refusal}. This checkpoint is skipped and kept.`);
        return found;
      }
      refusals.push(`${join(this.#path, name)}: ${found.reason}`);
    }
    if (names.length === 0 && (await this.#names()).includes(BEST)) refusals.push(`the folder only contains ${BEST}`);
    if (refusals.length === 0) return undefined;
    throw new DataError({
      where: this.#path,
      what: `none of the checkpoints can be resumed: ${refusals.join("; ")}`,
      fix: "Repair or move these files, or choose another folder",
    });
  }

  /** Removes unfinished files of a killed process. Failures are ignored, because such files are harmless. */
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

  /** @returns why the file cannot be read; undefined if it was written here or read completely */
  async #faultOf(name: string): Promise<string | undefined> {
    if (!this.#known.has(name)) await this.#read(name);
    return this.#known.get(name)!.reason;
  }

  /** @throws DataError if a file has this name that was not written here and cannot be read */
  async #requireReplaceable(name: string): Promise<void> {
    if (!(await this.#names()).includes(name)) return;
    const reason = await this.#faultOf(name);
    if (reason === undefined) return;
    const what = `cannot be written: the existing file is kept, because it cannot be read (${reason})`;
    throw new DataError({ where: join(this.#path, name), what, fix: "Move it to another folder" });
  }

  /** Makes `best` a hard link to the checkpoint or, if the file system has no links, a copy. */
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

  /** The readable checkpoints to remove: all but the most recent up to this step, and those of later steps. */
  async #outdated(step: number): Promise<string[]> {
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

  /** The names of the checkpoints, by ascending step. */
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
