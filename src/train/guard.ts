/*
 * What a step does with a loss or gradient that is NaN or infinite. It is found by its bits, on the device, in the step
 * itself: WGSL may assume that there is no NaN.
 */
import type { Update } from "../graph/graph.ts";
import { state, type StoredAttributes } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { greater, isNotFinite, maximum, multiply, select, subtract, toFloat } from "../ops/elementwise/index.ts";
import { axisIndex, type PackAttributes } from "../ops/layout/index.ts";
import { max } from "../ops/reduce/index.ts";

/**
 * "stop" ends the run with the parameters as they were before the step; "skip" leaves out its update; "halve" does so and
 * halves the learning rate of all steps after it.
 */
export const nonFiniteChoices = ["stop", "skip", "halve"] as const;

/** One of `nonFiniteChoices`. */
export type NonFiniteChoice = (typeof nonFiniteChoices)[number];

/** The state that remembers a stop: 1 from the step on that was not finite. */
const STOPPED = "guard.stopped";

/** 1 − the factor of the learning rate: 0 at first, exact for 24 halvings. */
const SLOWED = "guard.slowed";

type States = Readonly<Record<string, { readonly values: Float32Array }>>;

export const isStopped = (leaf: Tensor): boolean => (leaf.attributes as StoredAttributes).name === STOPPED;

/** The part of a step that guards its updates. */
export interface Guard {
  /** 0 where all is finite; else which value is not, see `placeOfFault`. */
  readonly fault: Tensor;
  readonly learningRate: Tensor;
  /** An optimizer's updates, which do nothing in a step that is left out, and the guard's own. */
  guarded(updates: readonly Update[]): Update[];
}

/** What says that only the loss is not finite; a gradient's element says at least 1. */
const LOSS = 0.5;

/** The place of a fault that is in no gradient. */
const LOSS_PLACE = "loss";

/**
 * @param gradient the packed gradient
 * @param loss the step's loss, where it is there at once with the gradient
 */
export function guardStep(
  choice: NonFiniteChoice,
  gradient: Tensor,
  loss: Tensor | undefined,
  learningRate: Tensor,
): Guard {
  const places = subtract(gradient.size, toFloat(axisIndex(gradient.shape, 0)));
  const ofGradient = max(select(isNotFinite(gradient), places, 0));
  const fault = loss ? maximum(ofGradient, multiply(isNotFinite(loss), LOSS)) : ofGradient;
  const isFaulty = greater(fault, 0);
  const left = (blocked: Tensor, updates: readonly Update[]) =>
    updates.map(({ target, value }) => ({ target, value: select(blocked, target, value) }));
  if (choice === "skip") return { fault, learningRate, guarded: (updates) => left(isFaulty, updates) };
  if (choice === "stop") {
    const stopped = state(STOPPED, []);
    const blocked = maximum(stopped, isFaulty);
    return {
      fault,
      learningRate,
      guarded: (updates) => [...left(blocked, updates), { target: stopped, value: blocked }],
    };
  }
  const slowed = state(SLOWED, []);
  const factor = subtract(1, slowed);
  const halved = { target: slowed, value: select(isFaulty, subtract(1, multiply(factor, 0.5)), slowed) };
  return {
    fault,
    learningRate: multiply(learningRate, factor),
    guarded: (updates) => [...left(isFaulty, updates), halved],
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
 * The name of the first parameter whose gradient was not finite, or "loss". Exact up to 2²⁴ parameters.
 * @param fault what a guard gave, above 0
 * @param packed the pack of the parameters
 */
export function placeOfFault(fault: number, packed: Tensor): string {
  if (fault < 1) return LOSS_PLACE;
  const { offsets } = packed.attributes as PackAttributes;
  const element = packed.size - fault;
  const slice = offsets.findLastIndex((offset) => offset <= element);
  return (packed.inputs[slice]!.attributes as StoredAttributes).name;
}
