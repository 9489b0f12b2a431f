/*
 * What the Digits tab shows.
 */
import { computed, signal } from "@preact/signals";
import { choice, fallbacks, flag, keyed, range, type Settings } from "../../shared/address/codec.ts";
import type {
  Activity,
  Prediction,
  KeptSummary,
  PreparedEvent,
  ProgressEvent,
  TestEvent,
  WeightsEvent,
} from "../contract.ts";
import { defaultSettings, faultsOf, type DigitsSettings } from "../settings.ts";
import { TrainingHistory } from "./history.ts";

/** The settings in the editor, which take effect soon. Only the visitor and a loaded network change them. */
export const draft = signal<DigitsSettings>(defaultSettings);
/** The settings that the worker was last asked to train; undefined before the first request. */
export const applied = signal<DigitsSettings | undefined>(undefined);
/** The network in training; undefined until the first one is ready. */
export const prepared = signal<PreparedEvent | undefined>(undefined);
/** Whether the visitor wants training to run. The worker's report of it counts only if it had received all requests. */
export const running = signal(false);
/** What the worker is doing. */
export const activity = signal<Activity | undefined>("preparing");
export const step = signal(0);
export const progress = signal<(Omit<ProgressEvent, "losses" | "accuracies"> & { readonly loss: number }) | undefined>(
  undefined,
);
export const test = signal<TestEvent | undefined>(undefined);
export const weights = signal<WeightsEvent | undefined>(undefined);
/** Increases when the curves have new points. */
export const curvesVersion = signal(0);
/** Increases when another network is shown: results about the previous one no longer count. */
export const networkVersion = signal(0);
/** An error of the training or of an action of the visitor. */
export const fault = signal<string | undefined>(undefined);
/** Whether the GPU is lost for good, so that only the CPU is left. */
export const deviceGone = signal(false);
/** A message that is not an error. */
export const notice = signal<string | undefined>(undefined);
/** The network's prediction for the drawing. */
export const prediction = signal<Prediction | undefined>(undefined);
/** The picture that `prediction` is about. */
export const predictedPicture = signal<Uint8Array | undefined>(undefined);
/** The accuracy on the drawings that visitors have kept, in words. Without drawings it is a line without text, so that nothing moves. */
export const ours = signal("\u00a0");
/** The network of an earlier visit, while the page offers it. */
export const offered = signal<KeptSummary | undefined>(undefined);

/** How the curves are shown. */
export const viewFields = {
  axis: choice(["step", "time"], "step"),
  logarithmic: keyed("scale", flag({ on: "log", off: "linear" }, false)),
  raw: flag({ on: "yes", off: "no" }, true),
  smoothing: range(0, 0.99, 0.01, 0.9),
  /** Whether the page asks for one digit after the other, for a class. */
  classMode: keyed("class", flag({ on: "yes", off: "no" }, false)),
};
export type ViewOptions = Settings<typeof viewFields>;
export const viewOptions = signal<ViewOptions>(fallbacks(viewFields));

export const finished = computed(() => prepared.value !== undefined && step.value >= prepared.value.totalSteps);
export const draftFaults = computed(() => faultsOf(draft.value));

/** A point of the test curve. */
export interface TestPoint {
  readonly step: number;
  readonly seconds: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** The curves of this run. */
export const curves = { training: new TrainingHistory(), test: [] as TestPoint[] };
