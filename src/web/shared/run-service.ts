/*
 * The worker's side of a tab that has one run at a time: one or more networks that train with the same settings.
 */
import * as Comlink from "comlink";
import { DeviceLostError, WgradError, type Backend } from "../../index.ts";
import type { ComparedTrainer } from "./compare-devices.ts";
import { Comparer } from "./comparer.ts";
import type { Comparison } from "./comparison-contract.ts";
import type { Stamp } from "./requests.ts";
import type { RunApi, RunEvent, StepDispatches } from "./run-contract.ts";
import { TrainingLoop } from "./training-loop.ts";

/** The least time between two frames, until the page sets another one. */
const FRAME_MILLISECONDS = 100;

/** The time between two saved states, from which training continues if the device is lost for good. */
const KEEP_MILLISECONDS = 2000;

/** How a run begins. */
export interface Beginning<Settings, State> {
  readonly settings: Settings;
  readonly backend: Backend;
  /** The state to continue from; undefined for new weights. */
  readonly resumeFrom: State | undefined;
}

/** Executes the calls of `RunApi`. A subclass has the run. */
export abstract class RunService<Settings, State, Event extends { readonly kind: string }> implements RunApi<
  Settings,
  Event
> {
  protected readonly loop: TrainingLoop;
  readonly #comparer: Comparer;
  readonly #getBackend: () => Promise<Backend>;
  #listener: (event: Event | RunEvent, stamp: Stamp) => void = () => {};
  /** The last request that arrived, the last one with settings or a restart, and the last restart. */
  #request = 0;
  #lastReplacing = 0;
  #lastStart = 0;
  /** The request that created the run. */
  #subject = 0;
  /** The last settings that arrived, and those of the run; undefined if there is no run. */
  #settings: Settings | undefined;
  #begun: Settings | undefined;
  #backend: Backend | undefined;
  /** The last saved state. */
  #kept: State | undefined;
  #keptAt = -Infinity;
  #frameMilliseconds = FRAME_MILLISECONDS;
  #shownAt = -Infinity;

  /** @param getBackend called when a run begins; the backend is shared with the other tabs */
  constructor(getBackend: () => Promise<Backend>) {
    this.#getBackend = getBackend;
    this.loop = new TrainingLoop({
      train: () => this.#train(),
      onWanted: (running) => this.send({ kind: "running", running }),
      onIdle: () => this.send({ kind: "idle" }),
      onError: (error) => this.#tellError(error),
      interval: () => 0,
    });
    this.#comparer = new Comparer(this.loop);
  }

  /** Ends the current run, if there is one, begins another and shows it. */
  protected abstract begin(beginning: Beginning<Settings, State>): Promise<void>;

  /** Runs steps for a moment, and shows what is due. */
  protected abstract train(): Promise<void>;

  /** Whether it is time for another frame, which the caller then shows. Training does not wait for frames. */
  protected isFrameDue(): boolean {
    const now = performance.now();
    if (now - this.#shownAt < this.#frameMilliseconds) return false;
    this.#shownAt = now;
    return true;
  }

  /** Makes the next frame due at once, since what it shows has changed. */
  protected showSoon(): void {
    this.#shownAt = -Infinity;
  }

  /** Runs one step and shows the result. */
  protected abstract trainOneStep(): Promise<void>;

  /** Shows all results, since training pauses. */
  protected abstract showAll(): Promise<void>;

  /** The state of the run; undefined if there is none. */
  protected abstract snapshot(): Promise<State | undefined>;

  /** What each network of the run dispatches for a step; nothing if there is no run. */
  abstract dispatches(): Promise<readonly StepDispatches[]>;

  /** What creates a new trainer of the run's network on any device, with initial weights; undefined if there is no run. */
  protected abstract get apart(): ((backend: Backend) => Promise<ComparedTrainer>) | undefined;

  /** Whether a run can continue with other settings. */
  protected canContinue(_before: Settings, _after: Settings): boolean {
    return false;
  }

  async subscribe(listener: (event: Event | RunEvent, stamp: Stamp) => void): Promise<void> {
    this.#listener = listener;
  }

  async setFrameTime(milliseconds: number): Promise<void> {
    this.#frameMilliseconds = milliseconds;
  }

  configure(request: number, settings: Settings): Promise<void> {
    this.#settings = settings;
    return this.#replace(request, async () => {
      if (request < this.#lastReplacing) return;
      const isNewDevice = this.#backend !== (await this.#getBackend());
      const begun = this.#begun;
      const isSame = begun && JSON.stringify(settings) === JSON.stringify(begun);
      if (isSame && !isNewDevice) return;
      if (!isSame && !(begun && this.canContinue(begun, settings))) return this.#begin(undefined);
      // The old device may be lost.
      if (!isNewDevice) await this.#keep();
      await this.#begin(this.#kept);
    });
  }

  reset(request: number): Promise<void> {
    return this.#startOver(request, () => undefined);
  }

  resume(request: number, run: boolean): Promise<void> {
    this.#want(request, run);
    return this.#startOver(request, () => this.#kept);
  }

  async start(request: number): Promise<void> {
    this.#want(request, true);
  }

  async pause(request: number): Promise<void> {
    this.#want(request, false);
    await this.loop.inTurn(async () => {
      await this.showAll();
      await this.#keep();
    });
  }

  async step(request: number): Promise<void> {
    this.#want(request, false);
    await this.loop.inTurn(() => this.trainOneStep());
  }

  compare(steps: number): Promise<Comparison | undefined> {
    return this.#comparer.compare(() => {
      const { apart: trainerOn } = this;
      return this.#backend && trainerOn && { backend: this.#backend, trainerOn, steps };
    });
  }

  cancelComparison(): void {
    this.#comparer.cancel();
  }

  async show(request: number, visible: boolean): Promise<void> {
    this.received(request);
    this.loop.show(visible);
    if (!visible) this.#comparer.cancel();
    if (!visible) await this.loop.inTurn(async () => {});
  }

  /** Notes the number of a call. */
  protected received(request: number): void {
    this.#request = request;
  }

  /** Sends an event. The buffers are transferred. */
  protected send(event: Event | RunEvent, buffers: ArrayBuffer[] = []): void {
    this.#listener(Comlink.transfer(event, buffers), { request: this.#request, subject: this.#subject });
  }

  #want(request: number, wanted: boolean): void {
    this.received(request);
    // A visitor who starts, pauses or replaces a network should not have to wait for a comparison.
    this.#comparer.cancel();
    this.loop.want(wanted);
  }

  #startOver(request: number, from: () => State | undefined): Promise<void> {
    this.#lastStart = request;
    return this.#replace(request, async () => {
      if (request === this.#lastStart) await this.#begin(from());
    });
  }

  /** Queues work that may replace the run, with the newest settings at the time it runs. */
  #replace(request: number, work: () => Promise<void>): Promise<void> {
    this.#request = this.#lastReplacing = request;
    this.#comparer.cancel();
    return this.loop.inTurn(async () => {
      if (this.#settings !== undefined) await work();
    });
  }

  async #begin(resumeFrom: State | undefined): Promise<void> {
    this.#subject = this.#lastReplacing;
    const settings = this.#settings!;
    this.#begun = undefined;
    this.#kept = resumeFrom;
    this.#keptAt = performance.now();
    const backend = (this.#backend = await this.#getBackend());
    await this.begin({ settings, backend, resumeFrom });
    this.#begun = settings;
  }

  async #train(): Promise<void> {
    await this.train();
    if (performance.now() - this.#keptAt >= KEEP_MILLISECONDS) await this.#keep();
  }

  async #keep(): Promise<void> {
    this.#keptAt = performance.now();
    this.#kept = await this.snapshot();
  }

  #tellError(error: unknown): void {
    const message = error instanceof WgradError ? error.message : `Error in the worker: ${String(error)}`;
    this.send({ kind: "error", message, deviceGone: error instanceof DeviceLostError });
  }
}
