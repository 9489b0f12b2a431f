/*
 * What the Convolution tab shows.
 */
import { computed, signal } from "@preact/signals";
import { fallbacks } from "../../shared/address/codec.ts";
import type { Message } from "../../shared/run-connection.ts";
import { StepHistory } from "../../shared/step-history.ts";
import type { AccuracyEvent, Frame, PreparedEvent, ShiftsEvent } from "../contract.ts";
import { fallbackSubject, trainingFields, type SubjectSettings, type TrainingSettings } from "../settings.ts";
import type { Pixel } from "../stages.ts";

export const training = signal<TrainingSettings>(fallbacks(trainingFields));
export const subject = signal<SubjectSettings>(fallbackSubject);

/** The networks in training; undefined until they are ready. */
export const prepared = signal<PreparedEvent | undefined>(undefined);
export const frame = signal<Frame | undefined>(undefined);
export const shifts = signal<ShiftsEvent | undefined>(undefined);
export const accuracy = signal<AccuracyEvent | undefined>(undefined);
/** Whether the visitor wants training to run. The worker's report of it counts only if it had received all requests. */
export const running = signal(true);
export const message = signal<Message | undefined>(undefined);
/** Whether the GPU is lost for good, so that only the CPU is left. */
export const deviceGone = signal(false);

/** The pixel of a feature map that the visitor has pointed at. */
export const pixel = signal<Pixel>({ stage: 0, map: 0, row: 11, column: 11 });

/** The most steps whose filters are kept. */
export const MOST_FILTERS = 100;

interface FilterRecord {
  readonly step: number;
  /** The weights [row, column, 1, map]. */
  readonly weights: Float32Array;
}

/** The filters of the first convolution during training. A change replaces the object. */
export const filterHistory = signal(new StepHistory<FilterRecord>(MOST_FILTERS));
/** The place in the history that the slider shows; undefined for the newest one. */
export const shownPlace = signal<number | undefined>(undefined);

export const shownFilters = computed(() => {
  const { records } = filterHistory.value;
  return records[shownPlace.value ?? records.length - 1];
});
