/*
 * The part of the interface between page and worker that tabs with one run at a time have in common.
 */
import type { DispatchDescription } from "../../index.ts";
import type { ComparisonApi } from "./comparison-contract.ts";
import type { Stamp } from "./requests.ts";

/** The events that each such tab sends, besides its own. */
export type RunEvent =
  /** Whether training is wanted. While the tab is hidden, it waits. */
  | { readonly kind: "running"; readonly running: boolean }
  /** All work is done, training does not run, and all results have been sent. */
  | { readonly kind: "idle" }
  /** The device was lost and replaced, and training continued. */
  | { readonly kind: "recovery"; readonly reason: string }
  | { readonly kind: "error"; readonly message: string; readonly deviceGone: boolean };

/** The dispatches of a training step of a network, in order. */
export interface StepDispatches {
  readonly network: string;
  readonly dispatches: readonly DispatchDescription[];
}

/**
 * The calls. They are executed in order, except those that a later call makes pointless. Each resolves when its events have
 * been sent. `request` is the number of the call, greater than all earlier ones.
 */
export interface RunApi<Settings, Event> extends ComparisonApi {
  /** Sets the listener, a Comlink.proxy. It replaces the previous one. */
  subscribe(listener: (event: Event | RunEvent, stamp: Stamp) => void): Promise<void>;
  /**
   * Sets the settings. The run starts over with new weights, unless it has these settings already, or can continue with
   * them. Training keeps running or pausing.
   */
  configure(request: number, settings: Settings): Promise<void>;
  /** Starts over with new weights. It keeps running or pausing. */
  reset(request: number): Promise<void>;
  /** Continues with the last saved weights on a newly opened device, and trains if `run` is true. */
  resume(request: number, run: boolean): Promise<void>;
  /** Trains until `pause`, while the tab is visible. */
  start(request: number): Promise<void>;
  /** Pauses. Resolves when the last step is done. */
  pause(request: number): Promise<void>;
  /** Pauses and runs one step. */
  step(request: number): Promise<void>;
  /** Shows or hides the tab. It trains only while it is visible, which it is at first. */
  show(request: number, visible: boolean): Promise<void>;
  /** Sets the least time between two frames; 100 ms at first. Training does not wait for frames. */
  setFrameTime(milliseconds: number): Promise<void>;
  /** What each network of the run dispatches for a step; nothing if there is no run. */
  dispatches(): Promise<readonly StepDispatches[]>;
}
