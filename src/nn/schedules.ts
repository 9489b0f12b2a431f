/*
 * How the learning rate changes over a run. A schedule depends on the step and the run's length alone, so any step's
 * rate can be computed by itself.
 */
import { requireCount, requireNumber } from "./checks.ts";

/**
 * The factor that the base learning rate is multiplied by.
 * @param step counted from 0
 * @param totalSteps the number of steps of the whole run
 */
export type Schedule = (step: number, totalSteps: number) => number;

/** The base rate throughout. */
export function constant(): Schedule {
  return () => 1;
}

/** How fast `step` and `exponential` decay. */
export interface DecayOptions {
  /** Steps after which the rate has been multiplied by `factor` once, at least 1; a third of the run by default. */
  readonly every?: number;
  /** In (0, 1]; 0.1 by default. */
  readonly factor?: number;
}

function decayOptions(name: string, { every, factor = 0.1 }: DecayOptions) {
  if (every !== undefined) requireCount(`${name} schedule every`, every);
  requireNumber(`${name} schedule factor`, factor, factor > 0 && factor <= 1, "a number above 0, at most 1");
  return { factor, everyOf: (totalSteps: number) => every ?? Math.max(1, totalSteps / 3) };
}

/**
 * Multiplied by a factor at regular steps: factor^⌊step / every⌋.
 * @throws OptionError for an option outside its range
 */
export function step(options: DecayOptions = {}): Schedule {
  const { factor, everyOf } = decayOptions("step", options);
  return (current, totalSteps) => factor ** Math.floor(current / everyOf(totalSteps));
}

/**
 * The same decay without jumps: factor^(step / every).
 * @throws OptionError for an option outside its range
 */
export function exponential(options: DecayOptions = {}): Schedule {
  const { factor, everyOf } = decayOptions("exponential", options);
  return (current, totalSteps) => factor ** (current / everyOf(totalSteps));
}

/** Where `cosine` ends. */
export interface CosineOptions {
  /** The factor that is reached at `totalSteps`, in [0, 1]; 0 by default. */
  readonly final?: number;
}

/**
 * Half a cosine from 1 to `final`: final + ½ (1 − final) (1 + cos(π step / totalSteps)), without restarts (Loshchilov
 * and Hutter 2017, equation 5).
 * @throws OptionError for an option outside its range
 */
export function cosine(options: CosineOptions = {}): Schedule {
  const { final = 0 } = options;
  requireNumber("cosine schedule final", final, final >= 0 && final <= 1, "a number in [0, 1]");
  return (current, totalSteps) => final + ((1 - final) * (1 + Math.cos((Math.PI * current) / totalSteps))) / 2;
}

/**
 * A linear rise, (step + 1) / steps, over the first steps; the rest of the run follows `then` as a run of its own
 * (gradual warm-up; Goyal et al. 2017, section 2.2).
 * @param steps length of the rise, at least 1
 * @param then what follows; constant by default
 * @throws OptionError for a number of steps outside its range
 */
export function warmup(steps: number, then: Schedule = constant()): Schedule {
  requireCount("warmup schedule steps", steps);
  return (current, totalSteps) =>
    current < steps ? (current + 1) / steps : then(current - steps, Math.max(1, totalSteps - steps));
}
