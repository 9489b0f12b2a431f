/** Exit codes of a command that a signal ended, by the system's custom of 128 and the signal's number. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

type EndingSignal = keyof typeof exitCodes;

/** Ctrl-C, SIGTERM, or SIGHUP of a terminal that is closed, while training: the first asks to stop after the steps in flight, the second ends the process at once. */
export class Interruption {
  readonly #abort = new AbortController();
  #exitCode: number | undefined;
  readonly #listener = (signal: EndingSignal): void => {
    if (this.#exitCode !== undefined) process.exit(exitCodes[signal]);
    this.#exitCode = exitCodes[signal];
    this.#abort.abort();
  };

  /** Listens from now on. */
  constructor() {
    for (const signal of Object.keys(exitCodes)) process.on(signal, this.#listener);
  }

  /** Aborted by the first of the signals. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What the process should exit with: 129 after SIGHUP, 130 after Ctrl-C, 143 after SIGTERM; undefined if there was none. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Leaves the signals to the system again, which ends the process. */
  stopListening(): void {
    for (const signal of Object.keys(exitCodes)) process.off(signal, this.#listener);
  }
}
