/*
 * How far the visitor has stepped through backpropagation.
 */
import { computed, signal } from "@preact/signals";
import { backward, firstParameters, forward, updated, type Parameters } from "./network.ts";

/** What is computed one after the other. After the update, the next round begins with the new weights. */
export const phases = ["inputs", "hidden", "output", "output error", "hidden errors", "update"] as const;
export type Phase = (typeof phases)[number];

const count = signal(0);

/** The parameters at the beginning of the round. */
export const parameters = signal<Parameters>(firstParameters);

export const phase = computed<Phase>(() => phases[count.value]!);

/** The round's computation, as a whole. The page shows what belongs to the phases so far. */
export const round = computed(() => {
  const there = forward(parameters.value);
  const back = backward(parameters.value, there);
  const next = updated(parameters.value, back.gradients);
  return { ...there, ...back, next, after: forward(next) };
});

/** Whether a phase is reached in this round. */
export const reached = (wanted: Phase): boolean => count.value >= phases.indexOf(wanted);

export function restart(): void {
  parameters.value = firstParameters;
  count.value = 0;
}

export function nextPhase(): void {
  if (count.value + 1 < phases.length) {
    count.value++;
    return;
  }
  parameters.value = round.value.next;
  count.value = 1;
}
