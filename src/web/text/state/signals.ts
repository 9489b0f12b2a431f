/*
 * What the Text tab shows.
 */
import { computed, signal } from "@preact/signals";
import { fallbacks } from "../../shared/address/codec.ts";
import type { Message } from "../../shared/run-connection.ts";
import { StepHistory } from "../../shared/step-history.ts";
import type { PreparedEvent, Sample, TextEvent } from "../contract.ts";
import { fallbackView, runFields, type RunSettings, type ViewSettings } from "../settings.ts";
import { Curve } from "./curve.ts";

type Of<Kind extends TextEvent["kind"]> = Extract<TextEvent, { kind: Kind }>;

export const settings = signal<RunSettings>(fallbacks(runFields));
export const view = signal<ViewSettings>(fallbackView);

/** The visitor's own text, once it was accepted. It is not part of the address. */
export const ownText = signal<string | undefined>(undefined);
/** Whether the form for the own text is open, and why the last text was refused. */
export const textForm = signal<{ readonly open: boolean; readonly fault?: string }>({ open: false });

/** The network in training; undefined until it is ready. */
export const prepared = signal<PreparedEvent | undefined>(undefined);
export const progress = signal<Of<"progress"> | undefined>(undefined);
export const tested = signal<Of<"test"> | undefined>(undefined);
export const curve = signal(new Curve());
/** Whether the visitor wants training to run. The worker's report of it counts only if it had received all requests. */
export const running = signal(true);
export const message = signal<Message | undefined>(undefined);
/** Whether the GPU is lost for good, so that only the CPU is left. */
export const deviceGone = signal(false);

/** The newest sample. */
export const latest = signal<Sample | undefined>(undefined);
/** The most samples that are kept: a sample of an own text has up to 180 KB. */
export const MOST_SAMPLES = 40;
export const samples = signal(new StepHistory<Sample>(MOST_SAMPLES));
/** An earlier sample that the visitor chose; undefined for the newest one. */
export const earlier = signal<Sample | undefined>(undefined);
/** Whether the view of tokens and vectors is open. */
export const vectorsOpen = signal(false);
export const shownSample = computed(() => earlier.value ?? latest.value);

/** A character of the shown sample. */
export interface Place {
  readonly row: number;
  /** The position in the row, from 0. */
  readonly place: number;
}

/** The character that the visitor pointed at last; undefined for the first one that the network wrote. */
export const pointed = signal<Place | undefined>(undefined);

/** The character of which the details are shown. */
export const shownPlace = computed((): Place => {
  const sample = shownSample.value;
  const { row, place } = pointed.value ?? { row: 0, place: sample?.given ?? 0 };
  return { row: Math.min(row, (sample?.rows ?? 1) - 1), place: Math.min(place, (sample?.length ?? 1) - 1) };
});
