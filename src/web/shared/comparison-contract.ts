/*
 * The part of the interface between page and worker that compares training on the devices.
 */

/** The compared kinds of devices, the fastest first on most machines. "cpu" is the reference backend. */
export const comparedKinds = ["webgpu", "wasm", "cpu"] as const;

export interface ComparedRun {
  readonly kind: (typeof comparedKinds)[number];
  /** The loss of each step: as many as were asked for, or fewer on a slow device. */
  readonly losses: Float32Array;
  readonly examplesPerSecond: number;
}

export interface Comparison {
  /** At least two, in the order of `comparedKinds`, without the kinds that the browser does not support. */
  readonly runs: readonly ComparedRun[];
  /** The largest difference between the losses of two devices at the same step. */
  readonly largestDifference: number;
}

/** The calls. */
export interface ComparisonApi {
  /**
   * Trains a new copy of the tab's network on each kind of device from the same seed, on the tab's data and with its settings.
   * The training on the page pauses meanwhile. Starting, pausing or changing it cancels the comparison.
   * @param steps at least 2
   * @returns undefined if it was canceled
   * @throws DeviceError if there is only one kind of device; OptionError if no network is ready
   */
  compare(steps: number): Promise<Comparison | undefined>;
  /** Cancels a running comparison. */
  cancelComparison(): void;
}
