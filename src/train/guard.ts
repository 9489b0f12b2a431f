/*
 * What a step does with a loss or gradient that is NaN or infinite. It is found by its bits, on the device, in the step
 * itself: WGSL may assume that there is no NaN. The kernels that make the gradient look for it along the way.
 */
import type { Update } from "../graph/graph.ts";
import { constant, state, type StoredAttributes } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { multiply, select, subtract, toFloat } from "../ops/elementwise/index.ts";
import type { PackAttributes } from "../ops/layout/index.ts";
import { firstNonFinite, replaceIf } from "../ops/non-finite/index.ts";

/**
 * "stop" ends the run with the parameters as they were before the step; "skip" leaves out its update; "halve" does so and
 * halves the learning rate of all steps after it; "ignore" looks for nothing, and such a step spoils the parameters.
 */
export const nonFiniteChoices = ["stop", "skip", "halve", "ignore"] as const;

/** One of `nonFiniteChoices`. */
export type NonFiniteChoice = (typeof nonFiniteChoices)[number];

/** What a step that looks for such values does. */
type GuardChoice = Exclude<NonFiniteChoice, "ignore">;

/** The state that remembers a stop: 1 from the step on that was not finite. */
const STOPPED = "guard.stopped";

/** 1 − the factor of the learning rate: 0 at first, exact for 24 halvings. */
const SLOWED = "guard.slowed";

type States = Readonly<Record<string, { readonly values: Float32Array }>>;

export const isStopped = (leaf: Tensor): boolean => (leaf.attributes as StoredAttributes).name === STOPPED;

/** The part of a step that guards its updates. */
export interface Guard {
  /** uint32: 0 where all is finite; else which value is not, see `placeOfFault`. */
  readonly fault: Tensor;
  readonly learningRate: Tensor;
  /** An optimizer's updates, which do nothing in a step that is left out, and the guard's own. */
  guarded(updates: readonly Update[]): Update[];
}

/** The place of a fault that is in no gradient. */
const LOSS_PLACE = "loss";

/**
 * @param gradient the packed gradient
 * @param loss the step's loss, where it is there at once with the gradient
 */
export function guardStep(
  choice: GuardChoice,
  gradient: Tensor,
  loss: Tensor | undefined,
  learningRate: Tensor,
): Guard {
  // The loss comes last: it is named only where the whole gradient is finite.
  const fault = firstNonFinite([gradient, loss ?? constant(0)]);
  const left = (blocked: Tensor, updates: readonly Update[]) =>
    updates.map(({ target, value }) => ({ target, value: select(blocked, target, value) }));
  if (choice === "skip") return { fault, learningRate, guarded: (updates) => left(toFloat(fault), updates) };
  if (choice === "stop") {
    const stopped = state(STOPPED, []);
    const blocked = replaceIf(fault, stopped, 1);
    return {
      fault,
      learningRate,
      guarded: (updates) => [...left(blocked, updates), { target: stopped, value: blocked }],
    };
  }
  const slowed = state(SLOWED, []);
  const halved = replaceIf(fault, slowed, subtract(1, multiply(subtract(1, slowed), 0.5)));
  return {
    fault,
    // A step that halves the rate uses none.
    learningRate: multiply(learningRate, subtract(1, halved)),
    guarded: (updates) => [...left(toFloat(fault), updates), { target: slowed, value: halved }],
  };
}

/** Whether a snapshot's states were taken after a step that stopped the run. */
export const holdsStop = (states: States | undefined): boolean => states?.[STOPPED]?.values[0] === 1;

/** The factor of the learning rate that a snapshot's states hold. */
export function rateFactorOf(states: States | undefined): number {
  return 1 - (states?.[SLOWED]?.values[0] ?? 0);
}

/** What was not finite, in words: "the loss is not finite". */
export const faultText = (place: string): string =>
  `${place === LOSS_PLACE ? "the loss" : `the gradient of ${place}`} is not finite`;

/**
 * The name of the first parameter whose gradient was not finite, or "loss".
 * @param fault what a guard gave, above 0: the distance from the end of the gradient and the loss
 * @param packed the pack of the parameters
 */
export function placeOfFault(fault: number, packed: Tensor): string {
  const element = packed.size + 1 - fault;
  if (element === packed.size) return LOSS_PLACE;
  const { offsets } = packed.attributes as PackAttributes;
  const slice = offsets.findLastIndex((offset) => offset <= element);
  return (packed.inputs[slice]!.attributes as StoredAttributes).name;
}
