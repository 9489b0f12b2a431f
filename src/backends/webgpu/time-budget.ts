/*
 * How much time background work may take from training.
 */
import { excerpt, OptionError } from "../../errors.ts";

/** Limits of background work. */
export interface TimeLimits {
  /** The share of the elapsed time that it may take on average, above 0 and at most 1; 0.02 by default. */
  readonly share?: number;
  /** The milliseconds by which it may delay a step, above 0; 10 by default. */
  readonly longestDelay?: number;
}

function requireLimits({ share, longestDelay }: Required<TimeLimits>): void {
  const refuse = (value: unknown, what: string, range: string) => {
    const where = "backgroundTuning";
    throw new OptionError({ where, what: `${excerpt(value)} is not ${what}`, fix: `Give a number above 0${range}` });
  };
  if (!(share > 0 && share <= 1)) refuse(share, "a share of the time", " and at most 1");
  if (!(longestDelay > 0)) refuse(longestDelay, "a delay in milliseconds", "");
}

/**
 * Limits background work to a share of the elapsed time: elapsed time earns time to spend, and a piece of work may start when some
 * is left. It may spend more than there is, since its cost is known only afterwards; later work then waits. At most the time of the
 * longest delay is saved up.
 */
export class TimeBudget {
  readonly longestDelay: number;
  readonly #share: number;
  #left = 0;
  #last: number | undefined;

  /** @throws OptionError for limits out of range */
  constructor({ share = 0.02, longestDelay = 10 }: TimeLimits = {}) {
    requireLimits({ share, longestDelay });
    this.#share = share;
    this.longestDelay = longestDelay;
  }

  /** Whether the next piece of work may start. */
  get isOpen(): boolean {
    return this.#left > 0;
  }

  /** Earns a share of the time since the last call. @param now in milliseconds */
  earn(now: number): void {
    const elapsed = now - (this.#last ?? now);
    this.#last = now;
    this.#left = Math.min(this.longestDelay, this.#left + this.#share * elapsed);
  }

  /** Spends the milliseconds that a piece of work has taken. */
  spend(milliseconds: number): void {
    this.#left -= milliseconds;
  }
}
