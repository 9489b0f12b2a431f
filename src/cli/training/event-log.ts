import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { DataError } from "../../errors.ts";
import { plainReason, writeFileAtomically } from "../../node/files.ts";

/** The file of --log, in JSON Lines. Numbers that are not finite become null. */
export class EventLog {
  readonly #path: string;
  readonly #say: (line: string) => void;
  #file: number;
  #hasFailed = false;

  /**
   * Opens or creates the file. Its contents stay until `begin`.
   * @param say prints a line for the user, the first time that an event cannot be written
   * @throws DataError with the path and the reason if the file cannot be written
   */
  constructor(path: string, say: (line: string) => void) {
    this.#path = path;
    this.#say = say;
    this.#file = this.#orRefuse(() => openSync(path, "a"));
  }

  /**
   * Empties the file. For a resumed run, keeps the progress events up to its step instead, so that the log looks as if the
   * run had not stopped. Devices and pipes are left unchanged.
   * @param afterStep the step that the run resumes from, or 0
   * @throws DataError with the path and the reason if the file cannot be written
   */
  async begin(afterStep: number): Promise<void> {
    if (!fstatSync(this.#file).isFile()) return;
    if (afterStep === 0) return this.#orRefuse(() => ftruncateSync(this.#file));
    const lines = this.#orRefuse(() => readFileSync(this.#path, "utf8")).split("\n");
    const kept = lines.filter((line) => isProgressUpTo(afterStep, line)).map((line) => `${line}\n`);
    await writeFileAtomically(this.#path, new TextEncoder().encode(kept.join("")));
    closeSync(this.#file);
    this.#file = this.#orRefuse(() => openSync(this.#path, "a"));
  }

  /**
   * Writes an event synchronously, so that the file is complete up to the last event however the process ends. If the
   * write fails (a full disk), the event is lost, the first failure is reported, and later events are tried again.
   */
  write(event: object): void {
    const { size } = fstatSync(this.#file);
    try {
      writeFileSync(this.#file, `${JSON.stringify(event)}\n`);
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

/** Whether a line is a progress event up to a step; false for a partial line of a killed process. */
function isProgressUpTo(step: number, line: string): boolean {
  try {
    const event = JSON.parse(line) as { event?: unknown; step?: unknown };
    return event.event === "progress" && typeof event.step === "number" && event.step <= step;
  } catch {
    return false;
  }
}
