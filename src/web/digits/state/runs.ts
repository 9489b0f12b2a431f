/*
 * The earlier runs of this visit, whose curves can be drawn beside those of the current one.
 */
import { signal } from "@preact/signals";
import type { PreparedEvent } from "../contract.ts";
import type { DigitsSettings } from "../settings.ts";
import type { TrainingCurve, TrainingHistory } from "./history.ts";
import type { TestPoint } from "./signals.ts";

/** A run that another one has replaced. */
export interface EarlierRun {
  /** Counted from 1. */
  readonly number: number;
  readonly settings: DigitsSettings;
  /** Such as "MNIST". */
  readonly data: string;
  readonly training: TrainingCurve;
  readonly test: readonly TestPoint[];
}

/** Beyond this, the oldest run is dropped. */
const MOST_RUNS = 8;

/** The most runs whose curves are drawn: one for each color. */
export const MOST_OVERLAID = 4;

export const earlierRuns = signal<readonly EarlierRun[]>([]);

/** The numbers of the runs whose curves are drawn, the last chosen one last. */
export const overlaid = signal<readonly number[]>([]);

/** The run whose curves are drawn because it is the last one. Unless the visitor has chosen it, the next run takes its place. */
let ghost: number | undefined;

/** The number of the current run. */
export const currentNumber = signal(1);

/** Keeps the run that ends, if it has a curve, and draws its curves beside those of the next one. */
export function keepRun(
  { settings, data }: Pick<PreparedEvent, "settings" | "data">,
  { training, test }: { readonly training: TrainingHistory; readonly test: readonly TestPoint[] },
): void {
  const curve = training.curve();
  if (curve.steps.length === 0) return;
  const number = currentNumber.value++;
  earlierRuns.value = [...earlierRuns.value, { number, settings, data, training: curve, test: [...test] }].slice(
    -MOST_RUNS,
  );
  const chosen = overlaid.value.filter(
    (other) => other !== ghost && earlierRuns.value.some((run) => run.number === other),
  );
  ghost = number;
  overlaid.value = [...chosen, number].slice(-MOST_OVERLAID);
}

/** Draws or hides the curves of a run. */
export function overlay(number: number, shown: boolean): void {
  if (number === ghost) ghost = undefined;
  const others = overlaid.value.filter((other) => other !== number);
  overlaid.value = shown ? [...others, number].slice(-MOST_OVERLAID) : others;
}

/** Removes a run. */
export function forgetRun(number: number): void {
  overlay(number, false);
  earlierRuns.value = earlierRuns.value.filter((run) => run.number !== number);
}
