import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { DataError } from "../../errors.ts";
import { plainReason, writeFileAtomically } from "../../node/files.ts";
import type { LogEvent, LogFormat } from "./log-format.ts";

/** The file of --log. */
export class EventLog {
  readonly #path: string;
  readonly #format: LogFormat;
  readonly #say: (line: string) => void;
  #file: number;
  #hasFailed = false;

  /**
   * Opens or creates the file. Its contents stay until `begin`.
   * @param format how events are written
   * @param say prints a line for the user, the first time that an event cannot be written
   * @throws DataError with the path and the reason if the file cannot be written
   */
  constructor(path: string, format: LogFormat, say: (line: string) => void) {
    this.#path = path;
    this.#format = format;
    this.#say = say;
    this.#file = this.#orRefuse(() => openSync(path, "a"));
  }

  /**
   * Empties the file, and writes the header of the format. For a resumed run, keeps the progress events up to its step,
   * so that the log looks as if the run had not stopped. Of devices and pipes, nothing is read or removed.
   * @param afterStep the step that the run resumes from, or 0
   * @throws DataError with the path and the reason if the file cannot be written
   */
  async begin(afterStep: number): Promise<void> {
    const { header, isProgressUpTo } = this.#format;
    if (!fstatSync(this.#file).isFile()) return this.#orRefuse(() => writeFileSync(this.#file, header));
    const text = afterStep === 0 ? "" : this.#orRefuse(() => readFileSync(this.#path, "utf8"));
    // Without its line break, the last line may be a part of the one that was being written.
    const lines = text.split("\n").slice(0, -1);
    const kept = lines.filter((line) => isProgressUpTo(afterStep, line)).map((line) => `${line}\n`);
    if (kept.length === 0) {
      this.#orRefuse(() => ftruncateSync(this.#file));
      return this.#orRefuse(() => writeFileSync(this.#file, header));
    }
    await writeFileAtomically(this.#path, new TextEncoder().encode(header + kept.join("")));
    closeSync(this.#file);
    this.#file = this.#orRefuse(() => openSync(this.#path, "a"));
  }

  /**
   * Writes an event synchronously, so that the file is complete up to the last event however the process ends. If the
   * write fails (a full disk), the event is lost, the first failure is reported, and later events are tried again.
   */
  write(event: LogEvent): void {
    const { size } = fstatSync(this.#file);
    try {
      writeFileSync(this.#file, `${this.#format.lineOf(event)}\n`);
    } catch (error) {
      if (!this.#hasFailed)
        this.#say(`${this.#path}: the log cannot be written; the run continues: ${plainReason(error)}.`);
      this.#hasFailed = true;
      this.#cutTo(size);
    }
  }

  /** Removes a partial line, to which the next event would be appended. */
  #cutTo(size: number): void {
    try {
      ftruncateSync(this.#file, size);
    } catch {
      // A device cannot be truncated, and stores nothing.
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #orRefuse<Result>(act: () => Result): Result {
    try {
      return act();
    } catch (cause) {
      const what = `the log cannot be written: ${plainReason(cause)}`;
      throw new DataError({ where: this.#path, what, fix: "Choose another path for --log" }, { cause });
    }
  }
}
