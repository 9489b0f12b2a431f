/*
 * What the Digits tab asks of the worker, and what it is told.
 */
import type { ProxyMarked } from "comlink";
import type { DispatchDescription } from "../../index.ts";
import type { Stamp } from "../shared/requests.ts";
import type { DigitsSettings } from "./settings.ts";

/** A trainer is ready: the weights were drawn, loaded, kept from before, or taken over with other options. */
export interface PreparedEvent {
  readonly kind: "prepared";
  readonly settings: DigitsSettings;
  readonly origin: "drawn" | "file" | "kept" | "adjusted";
  /** Steps made so far: not 0 where training goes on with other options. */
  readonly step: number;
  readonly stepsTotal: number;
  readonly stepsPerEpoch: number;
  /** Such as "MNIST" or "built-in digits". */
  readonly data: string;
  readonly trainingExamples: number;
  readonly testExamples: number;
  /** Trainable numbers. */
  readonly parameters: number;
  /** The file that the weights came from. */
  readonly file: string | undefined;
  /** Whether MNIST was asked for and the built-in digits stand in for it. */
  readonly mnistMissing: boolean;
  readonly dispatches: readonly DispatchDescription[];
}

/** Steps that were made since the event before. */
export interface ProgressEvent {
  readonly kind: "progress";
  /** The last step. */
  readonly step: number;
  /** Each step's loss and share of right predictions. */
  readonly losses: Float32Array;
  readonly accuracies: Float32Array;
  /** Time spent training since the weights were drawn, in seconds. */
  readonly seconds: number;
  /** The epoch of the last step, counted from 1. */
  readonly epoch: number;
  readonly learningRate: number;
  readonly imagesPerSecond: number;
}

export interface Mistake {
  /** The picture's number in the test set. */
  readonly index: number;
  readonly actual: number;
  readonly predicted: number;
  /** What the network gave the predicted class, in [0, 1]. */
  readonly confidence: number;
}

/** The network applied to the test set, or to its beginning where the device is slow and training goes on. */
export interface TestEvent {
  readonly kind: "test";
  /** Pictures that were looked at. */
  readonly count: number;
  readonly step: number;
  readonly seconds: number;
  readonly loss: number;
  readonly accuracy: number;
  /** Row by row, [actual, predicted], how many test pictures. */
  readonly confusion: Uint32Array;
  readonly mistakes: readonly Mistake[];
  /** The pictures of the mistakes, 784 bytes each. */
  readonly pictures: Uint8Array;
}

export interface WeightsEvent {
  readonly kind: "weights";
  /** First-layer weights, 784 for each unit, as −127 … 127 of the largest in absolute value. */
  readonly values: Int8Array;
  readonly units: number;
  /** The largest weight in absolute value. */
  readonly largest: number;
}

/** What the worker is busy with; "finishing" is the step that was under way when training was stopped. */
export type Activity = "preparing" | "training" | "finishing" | "comparing" | "measuring";

export interface StatusEvent {
  readonly kind: "status";
  /** Whether training is wanted: it may wait for something else, and goes on afterwards. */
  readonly running: boolean;
  readonly activity: Activity | undefined;
  readonly step: number;
}

export interface RecoveredEvent {
  readonly kind: "recovered";
  readonly fromStep: number;
  readonly toStep: number;
}

/** A command or the training failed. */
export interface FailedEvent {
  readonly kind: "failed";
  readonly message: string;
  /** Whether the GPU cannot be kept: it was lost, replaced and lost again. */
  readonly deviceGone: boolean;
}

export type DigitsEvent =
  | PreparedEvent
  | ProgressEvent
  | TestEvent
  | WeightsEvent
  | StatusEvent
  | RecoveredEvent
  | FailedEvent;

/** What the network makes of one picture. */
export interface Answer {
  /** For each digit, in [0, 1]. */
  readonly probabilities: Float32Array;
  /** What each hidden layer gave. */
  readonly hidden: readonly Float32Array[];
}

/** Some pictures of a cell of the confusion matrix. */
export interface CellPictures {
  /** 784 bytes each. */
  readonly pictures: Uint8Array;
  readonly count: number;
}

export interface ComparedRun {
  readonly losses: Float32Array;
  readonly imagesPerSecond: number;
}

export interface Comparison {
  readonly gpu: ComparedRun;
  readonly cpu: ComparedRun;
  /** The largest difference between the two losses of a step. */
  readonly largestDifference: number;
}

/** One step's list of dispatches, and the time of each where it can be had. */
export interface StepProfile {
  readonly dispatches: readonly DispatchDescription[];
  /** Median of several steps on the GPU's clock. */
  readonly nanoseconds: readonly number[] | undefined;
  /** Why there are no times. */
  readonly reason: string | undefined;
}

/** A network that was kept in the browser, for the page to offer. */
export interface KeptSummary {
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  readonly step: number;
  /** Of the test set, where it was looked at. */
  readonly accuracy: number | undefined;
}

/** What changes the network or its training. Training that a command interrupts goes on afterwards, where it is wanted. */
export type DigitsCommand =
  /** Draws weights anew and begins at step 0, training or not; as before where `run` is left out. */
  | { readonly kind: "begin"; readonly settings: DigitsSettings; readonly run?: boolean }
  /** Goes on with other options, none of which may need a restart. */
  | { readonly kind: "adjust"; readonly settings: DigitsSettings }
  | { readonly kind: "start" }
  | { readonly kind: "pause" }
  /** Pauses, and makes one step. */
  | { readonly kind: "step" }
  /** The tab trains only while it is shown. */
  | { readonly kind: "show"; readonly visible: boolean }
  /** Takes the network of a file, not training. */
  | { readonly kind: "load"; readonly bytes: Uint8Array; readonly name: string }
  /** Goes on with a kept network: the one of an earlier visit, or the present one, on a device that was opened since. */
  | { readonly kind: "resume"; readonly from: "earlier" | "present"; readonly run: boolean };

export interface DigitsApi {
  /** Takes every event from now on. Only the last subscriber is told. */
  subscribe(listener: ((event: DigitsEvent, stamp: Stamp) => void) & ProxyMarked): void;
  /**
   * Carries out a command. Commands are heard at once and carried out in their order; one that a later command makes
   * pointless is left out. Resolves when it is done; a failure is told as an event.
   * @param request the command's number, greater than all before
   */
  command(request: number, command: DigitsCommand): Promise<void>;
  /** Which parts the page shows: the others are not computed. */
  watch(parts: { readonly weights: boolean }): void;
  /** @param picture 784 bytes, 0 … 255 */
  predict(picture: Uint8Array): Promise<Answer>;
  /** Test pictures of one class that were taken for another, or for itself. */
  cell(actual: number, predicted: number): Promise<CellPictures>;
  /**
   * Trains on the GPU and on the CPU from the same seed, apart from the training that is shown.
   * @returns undefined where it was canceled
   */
  compare(steps: number): Promise<Comparison | undefined>;
  /** Ends a comparison that is under way. */
  cancelComparison(): void;
  /** Measures the step that is trained. */
  profile(): Promise<StepProfile>;
  /** The network as a file of wgrad. */
  save(): Promise<Uint8Array>;
  /** The network of an earlier visit, where the browser kept one. */
  kept(): Promise<KeptSummary | undefined>;
}
