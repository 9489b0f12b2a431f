/* What the page and the worker say to each other about the playground. */
import type { Stamp } from "../shared/requests.ts";
import type { Mode, PlaygroundConfig } from "./settings.ts";

/** The plane is computed on this many points along either axis, from −EXTENT (left and bottom) to EXTENT. */
export const PLANE_SIDE = 48;

/** A curve is computed at this many x from −EXTENT to EXTENT. */
export const CURVE_POINTS = 121;

/** A loss surface is computed on this many points along either axis. */
export const SURFACE_SIDE = 41;

/** The training and test points of a run as rows of x, y, class; of curves the class is 0. Added points are left out. */
export interface Problem {
  readonly points: Float32Array;
  readonly test: Float32Array;
  /** Of mode "surface". */
  readonly surface?: LossSurface;
}

/** The loss of a model of two parameters. */
export interface LossSurface {
  /** SURFACE_SIDE rows, the second parameter from the least to the greatest, of as many values of the first. */
  readonly losses: Float32Array;
  /** Either parameter goes from −extent to extent. */
  readonly extent: number;
  readonly names: readonly [string, string];
}

/** Where a run stands, with the parameters that `step` steps leave. */
export interface Frame {
  readonly mode: Mode;
  /** Finished steps. */
  readonly step: number;
  /** Mean over the training points; NaN where there are none. */
  readonly loss: number;
  /** Share of right predictions, in [0, 1]; NaN of quantities. */
  readonly accuracy: number;
  /** The same of the test points; NaN where there are none. */
  readonly testLoss: number;
  readonly testAccuracy: number;
  /** The probability of class 1 at each point of the plane, rows from the bottom; or the curve's y. */
  readonly outputs: Float32Array;
  /** For each hidden layer, unit after unit, its values at the same points. */
  readonly hidden: readonly { readonly units: number; readonly values: Float32Array }[];
  /** Of a neuron its weights and bias, of a loss surface its two parameters, else nothing. */
  readonly parameters: Float32Array;
  /** The two parameters after each step since the frame before, pair after pair; of mode "surface". */
  readonly path: Float32Array;
}

/** What the worker tells. */
export type PlaygroundEvent =
  /** A run begins; `fresh` where from its initial values, else it goes on with other settings. */
  | { readonly kind: "problem"; readonly mode: Mode; readonly fresh: boolean; readonly problem: Problem }
  | { readonly kind: "frame"; readonly frame: Frame }
  /** Whether training is wanted; while the tab is hidden it waits. */
  | { readonly kind: "running"; readonly running: boolean }
  /** The device was lost and replaced; training went on. */
  | { readonly kind: "recovery"; readonly reason: string }
  /** Nothing runs until settings change, or, where the device is gone, until `resume`. */
  | { readonly kind: "error"; readonly message: string; readonly deviceGone: boolean };

/**
 * The worker's side of the tab. Calls are carried out one after the other, but for those that a later one overtakes; each
 * resolves when its events are sent. `request` is the call's number, greater than all before.
 */
export interface PlaygroundApi {
  /** Takes the one listener, a Comlink.proxy; the one before is forgotten. */
  subscribe(listener: (event: PlaygroundEvent, stamp: Stamp) => void): Promise<void>;
  /**
   * Takes settings. Training goes on with the weights it has where network, optimizer and seed stay, else it starts
   * over. Whether it runs does not change.
   */
  configure(request: number, config: PlaygroundConfig): Promise<void>;
  /** Trains until `pause`, while the tab is shown. */
  start(request: number): Promise<void>;
  /** Resolves when the last step is done. */
  pause(request: number): Promise<void>;
  /** The tab trains only while it is shown, as it is at first. */
  show(request: number, visible: boolean): Promise<void>;
  /** Pauses and makes one step. */
  step(request: number): Promise<void>;
  /** Starts over with the same settings, running if it ran. */
  reset(request: number): Promise<void>;
  /** Goes on, running, with the weights as they were last seen, on a device that was opened since. */
  resume(request: number): Promise<void>;
  /** Milliseconds from one frame to the next, at least; 40 at first. */
  setFrameTime(milliseconds: number): Promise<void>;
}
