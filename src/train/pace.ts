/** Work that one submit holds by default: long enough to hide its cost, short enough that an interruption is heard. */
const TARGET_MILLISECONDS = 100;

/** The most steps in one submit, however short they are. */
const MOST_STEPS = 256;

/** When a submit began, when the call returned, and when its work was seen to be done, in milliseconds. */
export interface SubmitTimes {
  readonly submitted: number;
  readonly returned: number;
  readonly finished: number;
}

/** Chooses how many steps the next submit holds, from how long the last ones took. No result depends on it. */
export class SubmitPace {
  readonly #targetMilliseconds: number;
  #steps = 1;
  #lastFinished = -Infinity;

  constructor(targetMilliseconds = TARGET_MILLISECONDS) {
    this.#targetMilliseconds = targetMilliseconds;
  }

  /** Steps that the next submit should hold: from 1 to 256. */
  get steps(): number {
    return this.#steps;
  }

  /** Takes note of a submit that is done; in the order of the submits. */
  record(steps: number, { submitted, returned, finished }: SubmitTimes): void {
    // A device begins a submit when the one before is done. The CPU backend has done the work when the call returns.
    const milliseconds = Math.max(finished - Math.max(submitted, this.#lastFinished), returned - submitted);
    this.#lastFinished = finished;
    const wanted = Math.floor((this.#targetMilliseconds * steps) / milliseconds);
    // Doubling at most keeps one wrong measurement from making a submit that blocks the device for long.
    this.#steps = Math.max(1, Math.min(wanted, 2 * this.#steps, MOST_STEPS));
  }
}
