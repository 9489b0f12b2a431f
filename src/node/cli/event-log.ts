import { closeSync, openSync, writeSync } from "node:fs";
import { DataError } from "../../errors.ts";
import { plainReason } from "../files.ts";

/** A file of one JSON object a line. A number that is not finite becomes null. */
export class EventLog {
  readonly #path: string;
  readonly #file: number;

  /**
   * Begins the file anew.
   * @throws DataError with the path and the reason where it cannot be written
   */
  constructor(path: string) {
    this.#path = path;
    this.#file = this.#orRefuse(() => openSync(path, "w"));
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
