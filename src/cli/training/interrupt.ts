/** Exit codes of a command that was ended by a signal: by convention, 128 plus the number of the signal. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

type EndingSignal = keyof typeof exitCodes;

/**
 * Handles Ctrl-C, SIGTERM and SIGHUP (a closed terminal) during training. The first signal stops training after the steps
 * in flight; the second ends the process at once.
 */
export class Interruption {
  readonly #abort = new AbortController();
  #exitCode: number | undefined;
  readonly #listener = (signal: EndingSignal): void => {
    if (this.#exitCode !== undefined) process.exit(exitCodes[signal]);
    this.#exitCode = exitCodes[signal];
    this.#abort.abort();
  };

  /** Starts to listen. */
  constructor() {
    for (const signal of Object.keys(exitCodes)) process.on(signal, this.#listener);
  }

  /** Aborted by the first of the signals. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The exit code of the process: 129 after SIGHUP, 130 after Ctrl-C, 143 after SIGTERM; undefined without a signal. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Stops listening: a signal then ends the process at once. */
  stopListening(): void {
    for (const signal of Object.keys(exitCodes)) process.off(signal, this.#listener);
  }
}
