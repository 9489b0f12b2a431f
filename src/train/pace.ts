/**
 * The default target duration of a submit: long enough to hide its overhead, short enough to react to an interruption.
 */
const TARGET_MILLISECONDS = 100;

/** The maximum number of steps in one submit. */
const MOST_STEPS = 256;

/** When a submit was started, when the call returned, and when it was seen to be finished, in milliseconds. */
export interface SubmitTimes {
  readonly submitted: number;
  readonly returned: number;
  readonly finished: number;
}

/** Chooses the number of steps of the next submit from the durations of earlier ones. It does not affect results. */
export class SubmitPace {
  readonly #targetMilliseconds: number;
  #steps = 1;
  #lastFinished = -Infinity;

  constructor(targetMilliseconds = TARGET_MILLISECONDS) {
    this.#targetMilliseconds = targetMilliseconds;
  }

  /** The number of steps for the next submit, 1 to 256. */
  get steps(): number {
    return this.#steps;
  }

  /** Records a finished submit. Calls must be in the order of the submits. */
  record(steps: number, { submitted, returned, finished }: SubmitTimes): void {
    // A device starts a submit when the previous one is finished. The CPU backend has finished when the call returns.
    const milliseconds = Math.max(finished - Math.max(submitted, this.#lastFinished), returned - submitted);
    this.#lastFinished = finished;
    const wanted = Math.floor((this.#targetMilliseconds * steps) / milliseconds);
    // At most doubling keeps one wrong measurement from creating a submit that blocks the device for long.
    this.#steps = Math.max(1, Math.min(wanted, 2 * this.#steps, MOST_STEPS));
  }
}
