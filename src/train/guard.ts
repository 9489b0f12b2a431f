/*
 * Handles a loss or gradient that is NaN or infinite within the step, on the device. Such values are detected by their
 * bits, since WGSL may assume that there are no NaNs. The kernels that compute the gradient check it.
 */
import type { Update } from "../graph/graph.ts";
import { constant, nameOf, state } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { multiply, select, subtract, toFloat } from "../ops/elementwise/index.ts";
import type { PackAttributes } from "../ops/layout/index.ts";
import { firstNonFinite, replaceIf } from "../ops/non-finite/index.ts";
import type { StoredValues } from "./snapshot.ts";

/**
 * "stop" ends the run and keeps the parameters from before the step. "skip" leaves out the update of the step. "halve"
 * also halves the learning rate of all later steps. "ignore" checks nothing, so such a step ruins the
 * parameters.
 */
export const nonFiniteChoices = ["stop", "skip", "halve", "ignore"] as const;

/** One of `nonFiniteChoices`. */
export type NonFiniteChoice = (typeof nonFiniteChoices)[number];

/** The choices that check the step. */
type GuardChoice = Exclude<NonFiniteChoice, "ignore">;

/** The state that records a stop: 1 from the first non-finite step on. */
const STOPPED = "guard.stopped";

/** 1 − the factor of the learning rate: initially 0, exact for 24 halvings. */
const SLOWED = "guard.slowed";

type States = Readonly<Record<string, { readonly values: Float32Array }>>;

export const isStopped = (leaf: Tensor): boolean => nameOf(leaf) === STOPPED;

/**
 * The states in a snapshot, with the initial values of the guard's states that it does not contain: those of a run that
 * was guarded in another way, or not at all.
 */
export function withGuardStates(
  states: readonly Tensor[],
  stored: Readonly<Record<string, StoredValues>>,
): Readonly<Record<string, StoredValues>> {
  const missing = states
    .filter((leaf) => [STOPPED, SLOWED].includes(nameOf(leaf)) && !Object.hasOwn(stored, nameOf(leaf)))
    .map((leaf) => [nameOf(leaf), { shape: leaf.shape, values: new Float32Array(leaf.size) }] as const);
  return { ...stored, ...Object.fromEntries(missing) };
}

/** The check of a step and its effect on the updates. */
export interface Guard {
  /** uint32: 0 if all values are finite; otherwise `placeOfFault` gives the place of the first one that is not. */
  readonly fault: Tensor;
  readonly learningRate: Tensor;
  /** The updates of an optimizer, which change nothing if the step is skipped, and those of the guard's own states. */
  guarded(updates: readonly Update[]): Update[];
}

/** The place of a fault that is not in a gradient. */
const LOSS_PLACE = "loss";

/**
 * @param gradient the packed gradient
 * @param loss the loss of the step, if it is available together with the gradient
 */
export function guardStep(
  choice: GuardChoice,
  gradient: Tensor,
  loss: Tensor | undefined,
  learningRate: Tensor,
): Guard {
  // The loss comes last, so it is reported only if the whole gradient is finite.
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
    // A step that halves the learning rate does not update parameters, so the new rate can already apply to it.
    learningRate: multiply(learningRate, subtract(1, halved)),
    guarded: (updates) => [...left(toFloat(fault), updates), { target: slowed, value: halved }],
  };
}

/** Whether a snapshot was taken after a step that stopped the run. */
export const holdsStop = (states: States | undefined): boolean => states?.[STOPPED]?.values[0] === 1;

/** The factor of the learning rate in a snapshot's states. */
export function rateFactorOf(states: States | undefined): number {
  return 1 - (states?.[SLOWED]?.values[0] ?? 0);
}

/** A message such as "the loss is not finite". */
export const faultText = (place: string): string =>
  `${place === LOSS_PLACE ? "the loss" : `the gradient of ${place}`} is not finite`;

/**
 * The name of the first parameter whose gradient was not finite, or "loss".
 * @param fault the nonzero value of a guard: the distance from the end of the gradient and the loss
 * @param packed the pack of the parameters
 */
export function placeOfFault(fault: number, packed: Tensor): string {
  const element = packed.size + 1 - fault;
  if (element === packed.size) return LOSS_PLACE;
  const { offsets } = packed.attributes as PackAttributes;
  const slice = offsets.findLastIndex((offset) => offset <= element);
  return nameOf(packed.inputs[slice]!);
}
