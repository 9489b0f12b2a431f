/*
 * Learning rate schedules. A schedule depends only on the step and the length of the run, so the learning rate of any
 * step can be computed independently.
 */
import { refuseOtherOptions } from "../option-names.ts";
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

function decayOptions(name: string, options: DecayOptions) {
  refuseOtherOptions(`${name} schedule`, options, { every: true, factor: true });
  const { every, factor = 0.1 } = options;
  if (every !== undefined) requireCount(`${name} schedule every`, every);
  requireNumber(`${name} schedule factor`, factor, factor > 0 && factor <= 1, "a number above 0, at most 1");
  return { factor, everyOf: (totalSteps: number) => every ?? Math.max(1, totalSteps / 3) };
}

/**
 * Multiplies the learning rate by a factor at regular intervals: factor^⌊step / every⌋.
 * @throws OptionError for an unknown option, or one outside its range
 */
export function step(options: DecayOptions = {}): Schedule {
  const { factor, everyOf } = decayOptions("step", options);
  return (current, totalSteps) => factor ** Math.floor(current / everyOf(totalSteps));
}

/**
 * Exponential decay: factor^(step / every).
 * @throws OptionError for an unknown option, or one outside its range
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
 * @throws OptionError for an unknown option, or one outside its range
 */
export function cosine(options: CosineOptions = {}): Schedule {
  refuseOtherOptions("cosine schedule", options, { final: true });
  const { final = 0 } = options;
  requireNumber("cosine schedule final", final, final >= 0 && final <= 1, "a number in [0, 1]");
  return (current, totalSteps) => final + ((1 - final) * (1 + Math.cos((Math.PI * current) / totalSteps))) / 2;
}

/** The options of `linear`. */
export interface LinearOptions {
  /** The factor at `totalSteps`, in [0, 1]; 0 by default. */
  readonly final?: number;
}

/**
 * Linear decay from 1 to `final`: 1 − (1 − final) step / totalSteps, as PyTorch's LinearLR with start_factor 1.
 * @throws OptionError for an unknown option, or one outside its range
 */
export function linear(options: LinearOptions = {}): Schedule {
  refuseOtherOptions("linear schedule", options, { final: true });
  const { final = 0 } = options;
  requireNumber("linear schedule final", final, final >= 0 && final <= 1, "a number in [0, 1]");
  return (current, totalSteps) => 1 - ((1 - final) * current) / totalSteps;
}

/** The options of `cosineRestarts`. */
export interface RestartOptions extends CosineOptions {
  /** The number of steps of the first cycle, at least 1; a third of the run by default. */
  readonly every?: number;
  /** The length of each cycle as a factor of the one before, finite and at least 1; 1 by default. */
  readonly growth?: number;
}

/**
 * Cosine annealing with warm restarts: each cycle goes from 1 to `final`, as `cosine` does over the whole run, and the
 * next one starts at 1 again (Loshchilov and Hutter 2017, equation 5). The factors equal those of PyTorch's
 * CosineAnnealingWarmRestarts, where `every` is called T_0 and `growth` T_mult.
 * @throws OptionError for an unknown option, or one outside its range
 */
export function cosineRestarts(options: RestartOptions = {}): Schedule {
  refuseOtherOptions("cosineRestarts schedule", options, { every: true, growth: true, final: true });
  const { every, growth = 1, final } = options;
  if (every !== undefined) requireCount("cosineRestarts schedule every", every);
  requireNumber("cosineRestarts schedule growth", growth, growth >= 1 && growth < Infinity, "a number of at least 1");
  const cycle = cosine({ final });
  return (current, totalSteps) => {
    let length = every ?? Math.max(1, totalSteps / 3);
    let start = 0;
    if (growth === 1) start = Math.floor(current / length) * length;
    else for (; current >= start + length; length *= growth) start += length;
    return cycle(current - start, length);
  };
}

/** The options of `oneCycle`. */
export interface OneCycleOptions {
  /** The fraction of the run in which the learning rate rises, in [0, 1]; 0.3 by default. */
  readonly rise?: number;
  /** The factor at the first step, in [0, 1]; 0.04 by default. */
  readonly initial?: number;
  /** The factor at the last step, in [0, 1]; 4e-6 by default. */
  readonly final?: number;
}

/** Interpolates along half a cosine, for a fraction `share` in [0, 1]. */
const cosineBetween = (from: number, to: number, share: number) =>
  to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;

/**
 * One-cycle schedule: from `initial` to 1 and then from 1 to `final` at the last step, each along half a cosine (Smith
 * and Topin 2018, arXiv 1708.07120). The factors equal those of PyTorch's OneCycleLR, whose `max_lr` is the base
 * learning rate, whose `pct_start` is `rise`, and whose `div_factor` and `final_div_factor` are 1 / `initial` and
 * `initial` / `final`.
 * @throws OptionError for an unknown option, or one outside its range
 */
export function oneCycle(options: OneCycleOptions = {}): Schedule {
  refuseOtherOptions("oneCycle schedule", options, { rise: true, initial: true, final: true });
  const { rise = 0.3, initial = 0.04, final = 4e-6 } = options;
  for (const [name, value] of Object.entries({ rise, initial, final }))
    requireNumber(`oneCycle schedule ${name}`, value, value >= 0 && value <= 1, "a number in [0, 1]");
  return (current, totalSteps) => {
    const last = totalSteps - 1;
    // The rise can be shorter than one step; the schedule then peaks before the first step.
    const top = Math.min(rise * totalSteps - 1, last);
    if (current < top) return cosineBetween(initial, 1, current / top);
    return last > top ? cosineBetween(1, final, Math.min(1, (current - top) / (last - top))) : 1;
  };
}

/**
 * Gradual warm-up (Goyal et al. 2017, section 2.2): a linear increase, (step + 1) / steps, over the first steps,
 * followed by another schedule for the rest of the run.
 * @param steps number of warm-up steps, at least 1
 * @param then the schedule after the warm-up, evaluated from its step 0 on; constant by default
 * @throws OptionError for a number of steps outside its range
 */
export function warmup(steps: number, then: Schedule = constant()): Schedule {
  requireCount("warmup schedule steps", steps);
  return (current, totalSteps) =>
    current < steps ? (current + 1) / steps : then(current - steps, Math.max(1, totalSteps - steps));
}
