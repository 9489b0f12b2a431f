/*
 * The interface of the Convolution tab to the worker: the calls, and the events that the worker sends.
 */
import type { RunApi, RunEvent } from "../shared/run-contract.ts";
import type { SubjectSettings, TrainingSettings } from "./settings.ts";

/** Training of both networks has begun. */
export interface PreparedEvent {
  readonly kind: "prepared";
  /** Whether the weights are new. Otherwise training continues on another device. */
  readonly fresh: boolean;
  /** Such as "MNIST" or "built-in digits". */
  readonly data: string;
  readonly trainingExamples: number;
  /** The number of parameters of each network. */
  readonly parameters: Pair<number>;
  /** A test image of each digit, 784 bytes each. */
  readonly samples: Uint8Array;
}

/** A value for each of the two networks. */
export interface Pair<Value> {
  readonly convolution: Value;
  readonly dense: Value;
}

/** The state after `step` steps, and what the networks compute for the picture. */
export interface Frame {
  readonly step: number;
  /** The shifted picture, 784 bytes. */
  readonly picture: Uint8Array;
  /** The feature maps of each stage, [row, column, map]. */
  readonly maps: readonly Float32Array[];
  /** The weights [row, column, input map, map] and biases of each convolution. */
  readonly filters: readonly { readonly weights: Float32Array; readonly biases: Float32Array }[];
  /** The probability of each digit. */
  readonly probabilities: Pair<Float32Array>;
}

/** The predicted digits for the picture at every shift, in rows from the top. */
export interface ShiftsEvent {
  readonly kind: "shifts";
  readonly predictions: Pair<Uint32Array>;
}

/** The accuracy on test images that are shifted. */
export interface AccuracyEvent {
  readonly kind: "accuracy";
  /** The number of test images. */
  readonly count: number;
  /** For each distance of `testedShifts`, in [0, 1]. */
  readonly accuracies: Pair<readonly number[]>;
}

/** The distances, in pixels, by which test images are shifted: a quarter of the images in each direction. */
export const testedShifts = [0, 1, 2, 4] as const;

export type ConvolutionEvent =
  | PreparedEvent
  | { readonly kind: "frame"; readonly frame: Frame }
  | ShiftsEvent
  | AccuracyEvent
  | RunEvent;

/** What the networks see. */
export interface Subject extends SubjectSettings {
  /** The visitor's drawing, 784 bytes. Without it, the networks see a test image of `digit`. */
  readonly drawn?: Uint8Array | undefined;
}

/** The worker's side of the tab. */
export interface ConvolutionApi extends RunApi<TrainingSettings, ConvolutionEvent> {
  /** Changes what the networks see. */
  look(request: number, subject: Subject): Promise<void>;
}
