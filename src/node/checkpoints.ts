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

/** The checkpoints of a run in a folder: the last few, and the best. */
export class CheckpointFolder {
  readonly #path: string;
  readonly #keep: number;

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
   * @throws DataError with the path and the reason; what was there before stays whole
   */
  async save(trained: TrainedModel, state: RunState, isBest: boolean): Promise<string> {
    await makeFolderOrRefuse(this.#path);
    const path = join(this.#path, fileOf(trained.step));
    const bytes = saveCheckpoint(trained, state);
    await writeFileAtomically(path, bytes);
    if (isBest) await this.#keepAsBest(path, bytes);
    await this.#removeOthers(trained.step);
    return path;
  }

  /**
   * The newest checkpoint that is whole.
   * @param report takes a line for each newer one that is not
   * @throws DataError where the folder cannot be read
   */
  async newest(report: (line: string) => void): Promise<KeptCheckpoint | undefined> {
    for (const name of (await this.#stepFiles()).reverse()) {
      const path = join(this.#path, name);
      try {
        return { path, ...loadCheckpoint(await readFile(path), path) };
      } catch (error) {
        const reason = error instanceof WgradError ? error.what : plainReason(error);
        report(`${path} is passed over: ${reason}.`);
      }
    }
    return undefined;
  }

  /** Removes what a killed process left unfinished. */
  async removeUnfinished(): Promise<void> {
    const names = (await this.#names()).filter((name) => temporaryFile.test(name));
    await Promise.all(names.map((name) => rm(join(this.#path, name), { force: true })));
  }

  /** Both names stand for one file where the file system can do that. */
  async #keepAsBest(path: string, bytes: Uint8Array): Promise<void> {
    const best = join(this.#path, BEST);
    const temporary = join(this.#path, `.${BEST}.${process.pid.toString(16)}.tmp`);
    try {
      await rm(temporary, { force: true });
      await link(path, temporary);
      await rename(temporary, best);
    } catch {
      await writeFileAtomically(best, bytes);
    }
  }

  /** Of the steps up to this one all but the last few, and the later ones: they were not whole, or the run went back. */
  async #removeOthers(step: number): Promise<void> {
    const names = await this.#stepFiles();
    const upTo = names.filter((name) => stepOf(name) <= step);
    const others = [...upTo.slice(0, -this.#keep), ...names.slice(upTo.length)];
    await Promise.all(others.map((name) => rm(join(this.#path, name), { force: true })));
  }

  /** From the oldest step to the newest. */
  async #stepFiles(): Promise<string[]> {
    return (await this.#names()).filter((name) => stepFile.test(name)).sort((one, other) => stepOf(one) - stepOf(other));
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
