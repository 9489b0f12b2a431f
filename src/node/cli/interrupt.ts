/** The exit code of a command that Ctrl-C ended. */
export const INTERRUPTED = 130;

/** Ctrl-C while training: the first asks to stop after the steps in flight, the second ends the process at once. */
export class Interruption {
  #asked = false;
  readonly #listener = (): void => {
    if (this.#asked) process.exit(INTERRUPTED);
    this.#asked = true;
  };

  /** Listens from now on. */
  constructor() {
    process.on("SIGINT", this.#listener);
  }

  /** Whether Ctrl-C was pressed. */
  get asked(): boolean {
    return this.#asked;
  }

  /** Leaves Ctrl-C to the system again, which ends the process. */
  stopListening(): void {
    process.off("SIGINT", this.#listener);
  }
}
