/* The worker's side: one run at a time, trained in the pace that was asked for, told to one listener. */
import * as Comlink from "comlink";
import { DeviceLostError, WgradError, type Backend, type Snapshot } from "../../../index.ts";
import type { Stamp } from "../../shared/requests.ts";
import type { Frame, PlaygroundApi, PlaygroundEvent, Problem } from "../contract.ts";
import { createNetworkRun, type Run, type RunOptions } from "./network-run.ts";
import type { PlaygroundConfig } from "../settings.ts";
import { createSurfaceRun, SurfaceCache } from "./surface-run.ts";

/** Milliseconds of training between two frames, at most, so that a frame comes and a command is heard in time. */
const TRAINING_MILLISECONDS = 30;

/** Milliseconds from one frame to the next, at least: 25 pictures a second look like movement. */
const FRAME_MILLISECONDS = 40;

/** Milliseconds between two snapshots, from which training goes on where the device is gone. */
const KEEP_MILLISECONDS = 2000;

/** Makes the tab's service. The backend is asked for with the first settings, and shared with the other tabs. */
export function createPlaygroundService(getBackend: () => Promise<Backend>): PlaygroundApi {
  return new PlaygroundService(getBackend);
}

class PlaygroundService implements PlaygroundApi {
  readonly #getBackend: () => Promise<Backend>;
  readonly #surfaces = new SurfaceCache();
  /** Calls and frames one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #listener: (event: PlaygroundEvent, stamp: Stamp) => void = () => {};
  /** The last request that was heard, the last with settings or a new start, and the one that the present run follows from. */
  #request = 0;
  #lastReplacing = 0;
  /** Of those the last new start. */
  #lastStart = 0;
  #subject = 0;
  /** The settings that were last asked for, and those of the run. */
  #config: PlaygroundConfig | undefined;
  #begun: PlaygroundConfig | undefined;
  #backend: Backend | undefined;
  #run: Run | undefined;
  /** The weights as they were last kept. */
  #kept: Snapshot | undefined;
  #keptAt = -Infinity;
  #wanted = false;
  #visible = true;
  /** Whether the weights of the run are worth going on with. */
  #diverged = false;
  #looping = false;
  #frameMilliseconds = FRAME_MILLISECONDS;
  /** Steps that take about TRAINING_MILLISECONDS, from how long the last ones took. */
  #affordable = 1;

  constructor(getBackend: () => Promise<Backend>) {
    this.#getBackend = getBackend;
  }

  async subscribe(listener: (event: PlaygroundEvent, stamp: Stamp) => void): Promise<void> {
    this.#listener = listener;
  }

  async setFrameTime(milliseconds: number): Promise<void> {
    this.#frameMilliseconds = milliseconds;
  }

  configure(request: number, config: PlaygroundConfig): Promise<void> {
    this.#config = config;
    return this.#replace(request, async () => {
      if (request < this.#lastReplacing) return;
      const moved = this.#backend !== (await this.#getBackend());
      const known = this.#run && this.#begun;
      const isSame = known && !moved && paceAside(known) === paceAside(config);
      const goesOn = known && weightsOf(known) === weightsOf(config) && !this.#diverged;
      if (!isSame) await this.#begin(goesOn ? await (moved ? this.#kept : this.#run?.snapshot()) : undefined);
    });
  }

  async start(request: number): Promise<void> {
    this.#want(request, true);
  }

  async pause(request: number): Promise<void> {
    this.#want(request, false);
    await this.#inTurn(async () => {});
  }

  async show(request: number, visible: boolean): Promise<void> {
    this.#visible = visible;
    this.#want(request, this.#wanted);
    if (!visible) await this.#inTurn(async () => {});
  }

  async step(request: number): Promise<void> {
    this.#want(request, false);
    await this.#inTurn(async () => {
      await this.#run?.advance(1);
      await this.#show();
    });
  }

  reset(request: number): Promise<void> {
    return this.#startOver(request, () => undefined);
  }

  resume(request: number): Promise<void> {
    this.#want(request, true);
    return this.#startOver(request, () => this.#kept);
  }

  #startOver(request: number, from: () => Snapshot | undefined): Promise<void> {
    this.#lastStart = request;
    return this.#replace(request, async () => {
      if (request === this.#lastStart) await this.#begin(from());
    });
  }

  /** Takes whether training is wanted, and has it go on or end so. */
  #want(request: number, wanted: boolean): void {
    this.#request = request;
    if (this.#wanted !== wanted) {
      this.#wanted = wanted;
      this.#send({ kind: "running", running: wanted });
    }
    if (this.#runs && !this.#looping) void this.#loopOn();
  }

  get #runs(): boolean {
    return this.#wanted && this.#visible;
  }

  /** Works with the newest settings in its turn. */
  #replace(request: number, work: () => Promise<void>): Promise<void> {
    this.#request = this.#lastReplacing = request;
    return this.#inTurn(async () => {
      if (!this.#config) return;
      this.#subject = this.#lastReplacing;
      await work();
    });
  }

  /** Carries out work after all that was asked for before; a failure is told, and ends the training. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch((error: unknown) => {
      this.#want(this.#request, false);
      const message = error instanceof WgradError ? error.message : `Something failed in the worker: ${String(error)}`;
      this.#send({ kind: "error", message, deviceGone: error instanceof DeviceLostError });
    });
    return this.#queue;
  }

  /** Replaces the run, which goes on from a snapshot or starts over. */
  async #begin(resumeFrom: Snapshot | undefined): Promise<void> {
    const config = (this.#begun = this.#config!);
    const { mode } = config;
    this.#run?.dispose();
    this.#run = undefined;
    this.#kept = resumeFrom;
    this.#keptAt = performance.now();
    this.#affordable = 1;
    const onRecovery = ({ reason }: { readonly reason: string }) => this.#send({ kind: "recovery", reason });
    const backend = (this.#backend = await this.#getBackend());
    const options = { backend, resumeFrom, onRecovery };
    this.#run = await createRun({ ...options, config }, this.#surfaces);
    const problem = this.#run?.problem ?? { points: new Float32Array(), test: new Float32Array() };
    // The first frame comes with it, so that nobody sees the numbers of one network beside another.
    const frame = await this.#run?.frame();
    this.#send({ kind: "problem", mode, fresh: resumeFrom === undefined, problem }, buffersOf(problem));
    if (frame) this.#tellFrame(frame);
  }

  async #show(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    this.#tellFrame(await run.frame());
    if (performance.now() - this.#keptAt < KEEP_MILLISECONDS || this.#diverged) return;
    this.#keptAt = performance.now();
    this.#kept = await run.snapshot();
  }

  #tellFrame(frame: Frame): void {
    this.#send({ kind: "frame", frame }, buffersOf(frame));
    this.#diverged = !Number.isFinite(frame.loss);
    if (!this.#diverged) return;
    this.#want(this.#request, false);
    const message = "The loss is no longer a finite number: the learning rate is too high. Lower it and start again.";
    this.#send({ kind: "error", message, deviceGone: false });
  }

  #send(event: PlaygroundEvent, buffers: ArrayBuffer[] = []): void {
    this.#listener(Comlink.transfer(event, buffers), { request: this.#request, subject: this.#subject });
  }

  async #loopOn(): Promise<void> {
    this.#looping = true;
    while (this.#runs) {
      const began = performance.now();
      await this.#inTurn(async () => {
        if (this.#runs && this.#run) {
          await this.#advance(this.#run);
          await this.#show();
        }
      });
      const left = Math.max(this.#frameMilliseconds, 1000 / this.#stepsPerSecond) - (performance.now() - began);
      // Without a pause, too, calls from the page are heard.
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, left)));
    }
    this.#looping = false;
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
      return JSON.stringify([
        config.mode,
        config.layers,
        config.optimizer,
        config.seed,
        config.loss === "softmaxCrossEntropy",
      ]);
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
