/*
 * The interface of the Digits tab to the worker: the calls, and the events that the worker sends.
 */
import type { ProxyMarked } from "comlink";
import type { DispatchDescription } from "../../index.ts";
import type { ComparisonApi } from "../shared/comparison-contract.ts";
import type { Stamp } from "../shared/requests.ts";
import type { DigitsSettings } from "./settings.ts";

/** A trainer is ready. Its weights are new, loaded, saved earlier, or those of the previous trainer with other options. */
export interface PreparedEvent {
  readonly kind: "prepared";
  readonly settings: DigitsSettings;
  readonly origin: "drawn" | "file" | "kept" | "adjusted";
  /** The number of finished steps: not 0 if training continues with other options. */
  readonly step: number;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  /** Such as "MNIST" or "built-in digits". */
  readonly data: string;
  readonly trainingExamples: number;
  readonly testExamples: number;
  /** The number of trainable parameters. */
  readonly parameters: number;
  /** The file that the weights came from. */
  readonly file: string | undefined;
  /** Whether the built-in digits are used because MNIST is missing. */
  readonly mnistMissing: boolean;
  readonly dispatches: readonly DispatchDescription[];
}

/** The steps since the previous event. */
export interface ProgressEvent {
  readonly kind: "progress";
  /** The last step. */
  readonly step: number;
  /** The loss and the share of correct predictions of each step. */
  readonly losses: Float32Array;
  readonly accuracies: Float32Array;
  /** The time spent training these weights, in seconds. */
  readonly seconds: number;
  /** The epoch of the last step, counted from 1. */
  readonly epoch: number;
  readonly learningRate: number;
  readonly examplesPerSecond: number;
}

export interface Mistake {
  /** The index of the image in the test set. */
  readonly index: number;
  readonly actual: number;
  readonly predicted: number;
  /** The network's output for the predicted class, in [0, 1]. */
  readonly confidence: number;
}

/** The results on the test set, or on its beginning if the device is slow and training continues. */
export interface TestEvent {
  readonly kind: "test";
  /** The number of test images. */
  readonly count: number;
  readonly step: number;
  readonly seconds: number;
  readonly loss: number;
  readonly accuracy: number;
  /** The number of test images by actual and predicted class, row by row. */
  readonly confusion: Uint32Array;
  readonly mistakes: readonly Mistake[];
  /** The images of the mistakes, 784 bytes each. */
  readonly pictures: Uint8Array;
}

/** The largest number of units of a layer that the page draws. */
export const MOST_SHOWN = 16;

/** A dense layer in the drawing of the network. */
export interface ShownLayer {
  /** The number of units of the layer. */
  readonly count: number;
  /** The units that are drawn: those with the most influence on the next layer. All of them, for the last layer. */
  readonly units: Uint32Array;
  /** The weights from the drawn units of the previous layer to these, row by row. Empty for the first layer. */
  readonly weights: Float32Array;
}

/** The weights, as far as the page draws them. */
export interface WeightsEvent {
  readonly kind: "weights";
  /** The layers that the page draws: only the first one, if the network is not a chain of dense layers. */
  readonly layers: readonly ShownLayer[];
  /** The units of the first layer whose weights follow: those of `layers[0]`, or all of them if the page asked for them. */
  readonly tileUnits: Uint32Array;
  /** The weights of these units, 784 for each. 127 stands for `largest`. */
  readonly tiles: Int8Array;
  /** The number of units of the first layer. */
  readonly units: number;
  /** The largest absolute value of a weight of the first layer. */
  readonly largest: number;
  /** For each pixel 1 if some training image has ink there, and otherwise 0. */
  readonly inked: Uint8Array;
}

/** What the worker is doing. "finishing" is the step that was running when training was paused. */
export type Activity = "preparing" | "training" | "finishing" | "comparing" | "measuring";

export interface StatusEvent {
  readonly kind: "status";
  /** Whether training is wanted. It may have to wait for other work. */
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
  /** Whether the device is given up: it was lost, replaced and lost again. */
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

/** The network's prediction for one image. */
export interface Prediction {
  /** One for each digit, in [0, 1]. */
  readonly probabilities: Float32Array;
  /** The outputs of each hidden layer. */
  readonly hidden: readonly Float32Array[];
}

/** Some test images. */
export interface CellPictures {
  /** 784 bytes each. */
  readonly pictures: Uint8Array;
  readonly count: number;
}

/** The dispatches of a step, and the time of each if the device can measure it. */
export interface StepProfile {
  readonly dispatches: readonly DispatchDescription[];
  /** The median of several steps, measured by the GPU. */
  readonly nanoseconds: readonly number[] | undefined;
  /** Why there are no times. */
  readonly reason: string | undefined;
}

/** A network that is saved in the browser, for the page to offer. */
export interface KeptSummary {
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  readonly step: number;
  /** The accuracy on the test set, if it is known. */
  readonly accuracy: number | undefined;
}

/** Commands change the network or its training. If training is wanted, it continues after the command. */
export type DigitsCommand =
  /** Starts over with new weights. Without `run`, training keeps running or pausing. */
  | { readonly kind: "begin"; readonly settings: DigitsSettings; readonly run?: boolean }
  /** Continues with other options, none of which needs a restart. */
  | { readonly kind: "adjust"; readonly settings: DigitsSettings }
  | { readonly kind: "start" }
  | { readonly kind: "pause" }
  /** Pauses, and runs one step. */
  | { readonly kind: "step" }
  /** Shows or hides the tab, which trains only while it is visible. */
  | { readonly kind: "show"; readonly visible: boolean }
  /** Loads the network in a file, and pauses. */
  | { readonly kind: "load"; readonly bytes: Uint8Array; readonly name: string }
  /** Continues with the saved network of an earlier visit, or with the current one on a newly opened device. */
  | { readonly kind: "resume"; readonly from: "earlier" | "present"; readonly run: boolean };

/** What the page shows of the weights. */
export interface WatchedWeights {
  /** Whether to send the weights of all units of the first layer, not only those of the drawn ones. */
  readonly all: boolean;
  /** The least time between two events during training; 200 ms at first. */
  readonly milliseconds: number;
}

export interface DigitsApi extends ComparisonApi {
  /** Sets the listener for all events. It replaces the previous one. */
  subscribe(listener: ((event: DigitsEvent, stamp: Stamp) => void) & ProxyMarked): void;
  /**
   * Executes a command. The worker receives commands immediately and executes them in order, except those that a later one
   * makes pointless. Resolves when the command is done; a failure is sent as an event.
   * @param request the number of the command, greater than all earlier ones
   */
  command(request: number, command: DigitsCommand): Promise<void>;
  /** Says what the page shows of the weights. */
  watch(parts: WatchedWeights): void;
  /** @param picture 784 bytes, 0 … 255 */
  predict(picture: Uint8Array): Promise<Prediction>;
  /**
   * The network's predictions for several images.
   * @param pictures 784 bytes each
   * @returns for each image ten values in [0, 1], one for each digit
   */
  read(pictures: Uint8Array): Promise<Float32Array>;
  /**
   * The test images for which a unit of a dense layer has its largest outputs, the largest first.
   * @param layer the index in `WeightsEvent.layers`
   */
  exciting(layer: number, unit: number): Promise<CellPictures>;
  /** Test images by actual and predicted class. */
  cell(actual: number, predicted: number): Promise<CellPictures>;
  /** Measures a training step. */
  profile(): Promise<StepProfile>;
  /** The network as a wgrad file. */
  save(): Promise<Uint8Array>;
  /** The network of an earlier visit, if the browser has saved one. */
  kept(): Promise<KeptSummary | undefined>;
}
