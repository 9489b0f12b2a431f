/*
 * Learning rate schedules. A schedule depends only on the step and the length of the run, so the learning rate of any
 * step can be computed independently.
 */
import { requireCount, requireNumber } from "./checks.ts";

/**
 * Returns the factor by which the base learning rate is multiplied.
 * @param step counted from 0
 * @param totalSteps the number of steps of the run
 */
export type Schedule = (step: number, totalSteps: number) => number;

/** A constant learning rate. */
export function constant(): Schedule {
  return () => 1;
}

/** The options of `step` and `exponential`. */
export interface DecayOptions {
  /** The number of steps per multiplication by `factor`, at least 1; a third of the run by default. */
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
 * Multiplies the learning rate by a factor at regular intervals: factor^⌊step / every⌋.
 * @throws OptionError for an option outside its range
 */
export function step(options: DecayOptions = {}): Schedule {
  const { factor, everyOf } = decayOptions("step", options);
  return (current, totalSteps) => factor ** Math.floor(current / everyOf(totalSteps));
}

/**
 * Exponential decay: factor^(step / every).
 * @throws OptionError for an option outside its range
 */
export function exponential(options: DecayOptions = {}): Schedule {
  const { factor, everyOf } = decayOptions("exponential", options);
  return (current, totalSteps) => factor ** (current / everyOf(totalSteps));
}

/** The options of `cosine`. */
export interface CosineOptions {
  /** The factor at `totalSteps`, in [0, 1]; 0 by default. */
  readonly final?: number;
}

/**
 * Cosine annealing without restarts, from 1 to `final`: final + ½ (1 − final) (1 + cos(π step / totalSteps))
 * (Loshchilov and Hutter 2017, equation 5).
 * @throws OptionError for an option outside its range
 */
export function cosine(options: CosineOptions = {}): Schedule {
  const { final = 0 } = options;
  requireNumber("cosine schedule final", final, final >= 0 && final <= 1, "a number in [0, 1]");
  return (current, totalSteps) => final + ((1 - final) * (1 + Math.cos((Math.PI * current) / totalSteps))) / 2;
}

/**
 * Gradual warm-up (Goyal et al. 2017, section 2.2): a linear increase, (step + 1) / steps, over the first steps,
 * followed by another schedule for the rest of the run.
 * @param steps number of warm-up steps, at least 1
 * @param then the schedule after the warm-up, which starts at its step 0; constant by default
 * @throws OptionError for a number of steps outside its range
 */
export function warmup(steps: number, then: Schedule = constant()): Schedule {
  requireCount("warmup schedule steps", steps);
  return (current, totalSteps) =>
    current < steps ? (current + 1) / steps : then(current - steps, Math.max(1, totalSteps - steps));
}
