import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { DataError } from "../../errors.ts";
import { plainReason, writeFileAtomically } from "../../node/files.ts";

/** A file of one JSON object a line. A number that is not finite becomes null. */
export class EventLog {
  readonly #path: string;
  readonly #say: (line: string) => void;
  #file: number;
  #hasFailed = false;

  /**
   * Opens the file, or makes it; what is in it stays until `begin`.
   * @param say takes a line for the user, the first time that an event cannot be written
   * @throws DataError with the path and the reason where it cannot be written
   */
  constructor(path: string, say: (line: string) => void) {
    this.#path = path;
    this.#say = say;
    this.#file = this.#orRefuse(() => openSync(path, "a"));
  }

  /**
   * Begins the file anew; or, for a run that goes on, after the progress up to a step, as if it had not stopped. A
   * device or a pipe has no beginning to go back to.
   * @throws DataError with the path and the reason where it cannot be written
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
   * Writes an event at once, so that the file is whole up to the last event, however the process ends. Where that fails
   * (a full disk), it says so once; the event is lost, and later ones are tried again.
   */
  write(event: object): void {
    const { size } = fstatSync(this.#file);
    try {
      writeFileSync(this.#file, `${JSON.stringify(event)}\n`);
    } catch (error) {
      if (!this.#hasFailed)
        this.#say(`${this.#path}: the log cannot be written, and the run goes on: ${plainReason(error)}.`);
      this.#hasFailed = true;
      this.#cutTo(size);
    }
  }

  /** Removes a part of a line, which the next event would be appended to. */
  #cutTo(size: number): void {
    try {
      ftruncateSync(this.#file, size);
    } catch {
      // A device cannot be cut, and keeps nothing.
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
      throw new DataError({ where: this.#path, what, fix: "Choose a path for --log that you may write to" }, { cause });
    }
  }
}

/** Of a line that a killed process left half-written this is not so. */
function isProgressUpTo(step: number, line: string): boolean {
  try {
    const event = JSON.parse(line) as { event?: unknown; step?: unknown };
    return event.event === "progress" && typeof event.step === "number" && event.step <= step;
  } catch {
    return false;
  }
}
