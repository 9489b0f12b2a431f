/*
 * What the Digits tab asks of the worker, and what it is told.
 */
import type { ProxyMarked } from "comlink";
import type { DispatchDescription } from "../../index.ts";
import type { DigitsSettings } from "./settings.ts";

/** A trainer is ready: the weights were drawn, loaded, or taken over from before. */
export interface PreparedEvent {
  readonly kind: "prepared";
  readonly settings: DigitsSettings;
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

export interface StatusEvent {
  readonly kind: "status";
  readonly running: boolean;
  readonly step: number;
}

export interface RecoveredEvent {
  readonly kind: "recovered";
  readonly fromStep: number;
  readonly toStep: number;
}

/** Training ended in a fault. */
export interface FailedEvent {
  readonly kind: "failed";
  readonly message: string;
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

/** Every call that changes the training ends what is under way first, and goes on afterwards where it was running. */
export interface DigitsApi {
  /** Takes every event from now on. Only the last subscriber is told. */
  subscribe(listener: ((event: DigitsEvent) => void) & ProxyMarked): void;
  /** Draws weights anew and begins at step 0, training or not. */
  begin(settings: DigitsSettings, run: boolean): Promise<void>;
  /** Goes on with other options, as long as none of them needs a restart. */
  adjust(settings: DigitsSettings): Promise<void>;
  start(): Promise<void>;
  /** Resolves when no step is under way any more. */
  pause(): Promise<void>;
  /** Makes one step, and stays paused. */
  step(): Promise<void>;
  /** Which parts the page shows: the others are not computed. */
  watch(parts: { readonly weights: boolean }): void;
  /** @param picture 784 bytes, 0 … 255 */
  predict(picture: Uint8Array): Promise<Answer>;
  /** Test pictures of one class that were taken for another, or for itself. */
  cell(actual: number, predicted: number): Promise<CellPictures>;
  /** Trains on the GPU and on the CPU from the same seed, apart from the training that is shown. */
  compare(steps: number): Promise<Comparison>;
  /** Measures the step that is trained. */
  profile(): Promise<StepProfile>;
  /** The network as a file of wgrad. */
  save(): Promise<Uint8Array>;
  /**
   * Takes the network of a file in place of the one shown, not training.
   * @throws DataError for a file that is no network of wgrad; OptionError for one that takes or gives something else
   */
  load(bytes: Uint8Array, name: string): Promise<void>;
}
