/*
 * The interface of the Playground tab to the worker: the calls, and the events that the worker sends.
 */
import type { ComparisonApi } from "../shared/comparison-contract.ts";
import type { Stamp } from "../shared/requests.ts";
import type { StepDispatches } from "../shared/run-contract.ts";
import type { Mode, PlaygroundConfig } from "./settings.ts";

/** The number of points along either axis of the plane, from −EXTENT (left and bottom) to EXTENT. */
export const PLANE_SIDE = 48;

/** The number of points of a curve, from x = −EXTENT to EXTENT. */
export const CURVE_POINTS = 121;

/** The number of points along either axis of a loss surface. */
export const SURFACE_SIDE = 41;

/** The training and test points of a run as rows of x, y, class. For regression, the class is 0. Points that the visitor added are not included. */
export interface Problem {
  readonly points: Float32Array;
  readonly test: Float32Array;
  /** Only in mode "surface". */
  readonly surface?: LossSurface;
}

/** The loss of a model with two parameters. */
export interface LossSurface {
  /** SURFACE_SIDE rows by increasing second parameter, each with SURFACE_SIDE values by increasing first parameter. */
  readonly losses: Float32Array;
  /** Either parameter goes from −extent to extent. */
  readonly extent: number;
  readonly names: readonly [string, string];
}

/** The state of a run after `step` steps. */
export interface Frame {
  readonly mode: Mode;
  /** Finished steps. */
  readonly step: number;
  /** Passes over the training points, with the batch size that each step had. */
  readonly epoch: number;
  /** The mean over the training points; NaN if there are none. */
  readonly loss: number;
  /** The share of correct predictions, in [0, 1]; NaN for regression. */
  readonly accuracy: number;
  /** The same for the test points; NaN if there are none. */
  readonly testLoss: number;
  readonly testAccuracy: number;
  /** The probability of class 1 at each point of the plane, in rows from the bottom, or the y values of the curve. */
  readonly outputs: Float32Array;
  /** The values of each hidden layer at the same points, unit by unit. */
  readonly hidden: readonly { readonly units: number; readonly values: Float32Array }[];
  /** For networks, the weights of each layer, [inputs, units]; otherwise empty. */
  readonly weights: readonly Float32Array[];
  /** For networks, the biases of each layer, [units]; otherwise empty. */
  readonly biases: readonly Float32Array[];
  /** The weights and bias of a neuron, or the two parameters of a loss surface; otherwise empty. */
  readonly parameters: Float32Array;
  /** In mode "surface": pairs of the two parameters after each step since the previous frame. */
  readonly path: Float32Array;
}

/** A weight of a network, or a bias. With two outputs, a change of the only output changes their difference. */
export interface ParameterPlace {
  /** 0 for the first layer with weights. */
  readonly layer: number;
  readonly unit: number;
  /** The position of the input that the weight multiplies; undefined for the bias. */
  readonly input?: number;
}

/** The events that the worker sends. */
export type PlaygroundEvent =
  /** A run begins. If `fresh` is true, it starts from initial values; otherwise it continues with other settings. */
  | { readonly kind: "problem"; readonly mode: Mode; readonly fresh: boolean; readonly problem: Problem }
  | { readonly kind: "frame"; readonly frame: Frame }
  /** Whether training is wanted. While the tab is hidden, it waits. */
  | { readonly kind: "running"; readonly running: boolean }
  /** All work is done, training does not run, and all results have been sent. */
  | { readonly kind: "idle" }
  /** The device was lost and replaced, and training continued. */
  | { readonly kind: "recovery"; readonly reason: string }
  /** Nothing runs until settings change or, if the device is gone, until `resume`. */
  | { readonly kind: "error"; readonly message: string; readonly deviceGone: boolean };

/**
 * The worker's side of the tab. Calls are executed in order, except those that a later call makes pointless. Each resolves
 * when its events have been sent. `request` is the number of the call, greater than all earlier ones.
 */
export interface PlaygroundApi extends ComparisonApi {
  /** Sets the listener, a Comlink.proxy. It replaces the previous one. */
  subscribe(listener: (event: PlaygroundEvent, stamp: Stamp) => void): Promise<void>;
  /**
   * Changes the settings. If inputs, layers, optimizer and seed stay the same, training continues with its weights; otherwise it
   * starts over. It keeps running or pausing.
   */
  configure(request: number, config: PlaygroundConfig): Promise<void>;
  /** Trains until `pause`, while the tab is visible. */
  start(request: number): Promise<void>;
  /** Pauses. Resolves when the last step is done. */
  pause(request: number): Promise<void>;
  /** Shows or hides the tab. It trains only while it is visible, which it is at first. */
  show(request: number, visible: boolean): Promise<void>;
  /** Pauses and runs one step. */
  step(request: number): Promise<void>;
  /** Starts over with the same settings. It keeps running or pausing. */
  reset(request: number): Promise<void>;
  /** Sets a weight or a bias of the network, and shows what follows. Training continues from there. */
  setParameter(request: number, place: ParameterPlace, value: number): Promise<void>;
  /** Continues training with the last saved weights on a newly opened device. */
  resume(request: number): Promise<void>;
  /** What the network dispatches for a step; nothing if there is no run. */
  dispatches(): Promise<readonly StepDispatches[]>;
  /** Sets the least time between two frames; 40 ms at first. */
  setFrameTime(milliseconds: number): Promise<void>;
}
