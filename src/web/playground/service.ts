/* The worker's side: one run at a time, trained in the pace that was asked for, told to one listener. */
import * as Comlink from "comlink";
import { WgradError, type Backend, type Snapshot } from "../../index.ts";
import type { Frame, PlaygroundApi, PlaygroundEvent, Problem } from "./contract.ts";
import { createNetworkRun, type Run, type RunOptions } from "./network-run.ts";
import type { PlaygroundConfig } from "./settings.ts";
import { createSurfaceRun, SurfaceCache } from "./surface-run.ts";

/** Milliseconds of training between two frames, at most, so that a frame comes and a command is heard in time. */
const TRAINING_MILLISECONDS = 30;

/** Milliseconds from one frame to the next, at least: 25 pictures a second look like movement. */
const FRAME_MILLISECONDS = 40;

/** Makes the tab's service. The backend is asked for with the first settings, and shared with the other tabs. */
export function createPlaygroundService(getBackend: () => Promise<Backend>): PlaygroundApi {
  return new PlaygroundService(getBackend);
}

class PlaygroundService implements PlaygroundApi {
  readonly #getBackend: () => Promise<Backend>;
  readonly #surfaces = new SurfaceCache();
  /** Calls and frames one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #listener: (event: PlaygroundEvent) => void = () => {};
  #config: PlaygroundConfig | undefined;
  /** Settings that wait for the frame at work; of several only the last are carried out. */
  #wanted: PlaygroundConfig | undefined;
  #run: Run | undefined;
  #running = false;
  /** Whether the weights of the run are worth going on with. */
  #diverged = false;
  /** Tells an older loop from the present one. */
  #loop = 0;
  #frameMilliseconds = FRAME_MILLISECONDS;
  /** Steps that take about TRAINING_MILLISECONDS, from how long the last ones took. */
  #affordable = 1;

  constructor(getBackend: () => Promise<Backend>) {
    this.#getBackend = getBackend;
  }

  async subscribe(listener: (event: PlaygroundEvent) => void): Promise<void> {
    this.#listener = listener;
  }

  async setFrameTime(milliseconds: number): Promise<void> {
    this.#frameMilliseconds = milliseconds;
  }

  configure(config: PlaygroundConfig): Promise<void> {
    this.#wanted = config;
    return this.#inTurn(async () => {
      const wanted = this.#wanted;
      if (!wanted) return;
      this.#wanted = undefined;
      const before = this.#run && this.#config;
      const isSame = before && paceAside(before) === paceAside(wanted);
      const goesOn = before && weightsOf(before) === weightsOf(wanted) && !this.#diverged;
      this.#config = wanted;
      if (!isSame) await this.#begin(goesOn ? await this.#run?.snapshot() : undefined);
    });
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#setRunning(true);
    this.#loopOn(++this.#loop);
  }

  async pause(): Promise<void> {
    this.#setRunning(false);
    await this.#inTurn(async () => {});
  }

  async step(): Promise<void> {
    this.#setRunning(false);
    await this.#inTurn(async () => {
      await this.#run?.advance(1);
      await this.#show();
    });
  }

  reset(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#config) await this.#begin(undefined);
    });
  }

  #setRunning(running: boolean): void {
    if (this.#running === running) return;
    this.#running = running;
    this.#listener({ kind: "running", running });
  }

  /** Carries out work after all that was asked for before; a failure is told, and ends the training. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch((error: unknown) => {
      this.#setRunning(false);
      const message = error instanceof WgradError ? error.message : `Something failed in the worker: ${String(error)}`;
      this.#listener({ kind: "error", message });
    });
    return this.#queue;
  }

  /** Replaces the run, which goes on from a snapshot or starts over. */
  async #begin(resumeFrom: Snapshot | undefined): Promise<void> {
    const config = this.#config!;
    const { mode } = config;
    this.#run?.dispose();
    this.#run = undefined;
    this.#affordable = 1;
    const onRecovery = ({ reason }: { readonly reason: string }) => this.#listener({ kind: "recovery", reason });
    const options = { backend: await this.#getBackend(), resumeFrom, onRecovery };
    this.#run = await createRun({ ...options, config }, this.#surfaces);
    const problem = this.#run?.problem ?? { points: new Float32Array(), test: new Float32Array() };
    this.#send({ kind: "problem", mode, fresh: resumeFrom === undefined, problem }, buffersOf(problem));
    await this.#show();
  }

  async #show(): Promise<void> {
    const frame = await this.#run?.frame();
    if (!frame) return;
    this.#send({ kind: "frame", frame }, buffersOf(frame));
    this.#diverged = !Number.isFinite(frame.loss);
    if (!this.#diverged) return;
    this.#setRunning(false);
    const message = "The loss is no longer a finite number: the learning rate is too high. Lower it and start again.";
    this.#listener({ kind: "error", message });
  }

  #send(event: PlaygroundEvent, buffers: ArrayBuffer[]): void {
    this.#listener(Comlink.transfer(event, buffers));
  }

  async #loopOn(loop: number): Promise<void> {
    while (this.#running && loop === this.#loop) {
      const began = performance.now();
      await this.#inTurn(async () => {
        if (this.#running && loop === this.#loop && this.#run) {
          await this.#advance(this.#run);
          await this.#show();
        }
      });
      const left = Math.max(this.#frameMilliseconds, 1000 / this.#stepsPerSecond) - (performance.now() - began);
      // Without a pause, too, calls from the page are heard.
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, left)));
    }
  }

  get #stepsPerSecond(): number {
    const speed = this.#config?.speed ?? "full";
    return speed === "full" ? Infinity : Number(speed);
  }

  /** Makes the steps of one frame: as many as the speed wants and time allows. */
  async #advance(run: Run): Promise<void> {
    const wanted = Math.max(1, Math.round((this.#stepsPerSecond * this.#frameMilliseconds) / 1000));
    const steps = Math.min(wanted, this.#affordable);
    const began = performance.now();
    await run.advance(steps);
    const ratio = TRAINING_MILLISECONDS / (performance.now() - began);
    // Doubling at most, so that one wrong measurement makes no long wait.
    this.#affordable = Math.max(1, Math.floor(Math.min(steps * ratio, 2 * this.#affordable)));
  }
}

async function createRun(options: RunOptions, surfaces: SurfaceCache): Promise<Run | undefined> {
  const { config } = options;
  if (config.mode === "surface") return createSurfaceRun({ ...options, config }, surfaces);
  return createNetworkRun({ ...options, config });
}

/** What of the settings the weights depend on: while it stays, training goes on with them. */
function weightsOf(config: PlaygroundConfig): string {
  switch (config.mode) {
    case "classify":
      return JSON.stringify([config.mode, config.layers, config.optimizer, config.seed, config.loss === "softmaxCrossEntropy"]);
    case "regress":
      return JSON.stringify([config.mode, config.layers, config.optimizer, config.seed]);
    case "neuron":
      return JSON.stringify([config.mode, config.seed]);
    case "surface":
      return JSON.stringify([config.mode, config.model, config.noise, config.seed, config.start, config.optimizer]);
  }
}

/** What the run itself depends on. */
const paceAside = (config: PlaygroundConfig): string => JSON.stringify({ ...config, speed: undefined });

function buffersOf(value: Frame | Problem): ArrayBuffer[] {
  const arrays =
    "outputs" in value
      ? [value.outputs, value.parameters, value.path, ...value.hidden.map(({ values }) => values)]
      : [value.points, value.test, ...(value.surface ? [value.surface.losses] : [])];
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}
