import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { DataError } from "../../errors.ts";
import { plainReason } from "../files.ts";

/** A file of one JSON object a line. A number that is not finite becomes null. */
export class EventLog {
  readonly #path: string;
  #file: number;

  /**
   * Opens the file, or makes it; what is in it stays until `begin`.
   * @throws DataError with the path and the reason where it cannot be written
   */
  constructor(path: string) {
    this.#path = path;
    this.#file = this.#orRefuse(() => openSync(path, "a"));
  }

  /** Begins the file anew; or, for a run that goes on, after the progress up to a step, as if it had not stopped. */
  begin(afterStep: number): void {
    this.#orRefuse(() => {
      if (afterStep === 0) return ftruncateSync(this.#file);
      const kept = readFileSync(this.#path, "utf8").split("\n").filter((line) => isProgressUpTo(afterStep, line));
      const temporary = `${this.#path}.${process.pid}.tmp`;
      writeFileSync(temporary, kept.map((line) => `${line}\n`).join(""));
      closeSync(this.#file);
      renameSync(temporary, this.#path);
      this.#file = openSync(this.#path, "a");
    });
  }

  /** Writes an event at once, so that the file is whole up to the last event, however the process ends. */
  write(event: object): void {
    this.#orRefuse(() => writeSync(this.#file, `${JSON.stringify(event)}\n`));
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
