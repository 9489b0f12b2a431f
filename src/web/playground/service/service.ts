/*
 * The worker's side of the Playground tab. It trains one run at a time at the chosen speed, and reports to one listener.
 */
import * as Comlink from "comlink";
import { DeviceLostError, WgradError, type Backend, type Snapshot } from "../../../index.ts";
import { Comparer } from "../../shared/comparer.ts";
import type { Comparison } from "../../shared/comparison-contract.ts";
import type { Stamp } from "../../shared/requests.ts";
import type { StepDispatches } from "../../shared/run-contract.ts";
import { StepBudget, TrainingLoop } from "../../shared/training-loop.ts";
import type { Frame, ParameterPlace, PlaygroundApi, PlaygroundEvent, Problem } from "../contract.ts";
import { createNetworkRun, type Run, type RunFrame, type RunOptions } from "./network-run.ts";
import type { PlaygroundConfig } from "../settings.ts";
import { createSurfaceRun, SurfaceCache } from "./surface-run.ts";

/** The least time between two frames: 25 frames per second look smooth. */
const FRAME_MILLISECONDS = 40;

/** The time between two snapshots, from which training continues if the device is lost for good. */
const KEEP_MILLISECONDS = 2000;

/** @param getBackend is called with the first settings; the backend is shared with the other tab */
export function createPlaygroundService(getBackend: () => Promise<Backend>): PlaygroundApi {
  return new PlaygroundService(getBackend);
}

class PlaygroundService implements PlaygroundApi {
  readonly #getBackend: () => Promise<Backend>;
  readonly #surfaces = new SurfaceCache();
  readonly #loop: TrainingLoop;
  readonly #comparer: Comparer;
  #listener: (event: PlaygroundEvent, stamp: Stamp) => void = () => {};
  /** The last request that arrived, and the last one with settings or a restart. */
  #request = 0;
  #lastReplacing = 0;
  /** The last restart. */
  #lastStart = 0;
  /** The request that created the current run. */
  #subject = 0;
  /** The last settings that arrived, and those of the run. */
  #config: PlaygroundConfig | undefined;
  #begun: PlaygroundConfig | undefined;
  #backend: Backend | undefined;
  #run: Run | undefined;
  /** The step with which the run began, and the epochs before it. */
  #began = { step: 0, epochs: 0 };
  /** The last saved state of the run. */
  #kept: Snapshot | undefined;
  #keptAt = -Infinity;
  /** Whether the last loss was not finite. Training then starts over instead of continuing with the weights. */
  #diverged = false;
  #frameMilliseconds = FRAME_MILLISECONDS;
  #budget = new StepBudget();

  constructor(getBackend: () => Promise<Backend>) {
    this.#getBackend = getBackend;
    this.#loop = new TrainingLoop({
      train: () => this.#train(),
      onWanted: (running) => this.#send({ kind: "running", running }),
      onIdle: () => this.#send({ kind: "idle" }),
      onError: (error) => this.#tellError(error),
      interval: () => Math.max(this.#frameMilliseconds, 1000 / this.#stepsPerSecond),
    });
    this.#comparer = new Comparer(this.#loop);
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
      const isNewDevice = this.#backend !== (await this.#getBackend());
      const known = this.#run && this.#begun;
      const isSame = known && !isNewDevice && withoutSpeed(known) === withoutSpeed(config);
      const continues = known && weightsOf(known) === weightsOf(config) && !this.#diverged;
      if (!isSame) await this.#begin(continues ? await (isNewDevice ? this.#kept : this.#run?.snapshot()) : undefined);
    });
  }

  async start(request: number): Promise<void> {
    this.#want(request, true);
  }

  async pause(request: number): Promise<void> {
    this.#want(request, false);
    await this.#loop.inTurn(async () => {});
  }

  async show(request: number, visible: boolean): Promise<void> {
    this.#request = request;
    this.#loop.show(visible);
    if (!visible) this.#comparer.cancel();
    if (!visible) await this.#loop.inTurn(async () => {});
  }

  async step(request: number): Promise<void> {
    this.#want(request, false);
    await this.#loop.inTurn(async () => {
      await this.#run?.advance(1);
      await this.#show();
    });
  }

  async setParameter(request: number, place: ParameterPlace, value: number): Promise<void> {
    this.#request = request;
    await this.#loop.inTurn(async () => {
      await this.#run?.setParameter(place, value);
      await this.#show();
    });
  }

  async dispatches(): Promise<readonly StepDispatches[]> {
    const run = this.#run;
    return run ? [{ network: titles[this.#begun!.mode], dispatches: run.dispatches }] : [];
  }

  compare(steps: number): Promise<Comparison | undefined> {
    return this.#comparer.compare(() => {
      const [backend, run] = [this.#backend, this.#run];
      return backend && run && { backend, trainerOn: (other) => run.apart(other), steps };
    });
  }

  cancelComparison(): void {
    this.#comparer.cancel();
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

  /** Sets whether training is wanted, and starts or stops it. */
  #want(request: number, wanted: boolean): void {
    this.#request = request;
    // A visitor who starts, pauses or replaces a network should not have to wait for a comparison.
    this.#comparer.cancel();
    this.#loop.want(wanted);
  }

  /** Queues work that replaces the run, with the newest settings at the time it runs. */
  #replace(request: number, work: () => Promise<void>): Promise<void> {
    this.#request = this.#lastReplacing = request;
    this.#comparer.cancel();
    return this.#loop.inTurn(async () => {
      if (!this.#config) return;
      this.#subject = this.#lastReplacing;
      await work();
    });
  }

  #tellError(error: unknown): void {
    const message = error instanceof WgradError ? error.message : `Error in the worker: ${String(error)}`;
    this.#send({ kind: "error", message, deviceGone: error instanceof DeviceLostError });
  }

  /** Replaces the run. The new one continues from a snapshot, if there is one, or starts over. */
  async #begin(resumeFrom: Snapshot | undefined): Promise<void> {
    const config = (this.#begun = this.#config!);
    const { mode } = config;
    this.#began = { step: resumeFrom?.step ?? 0, epochs: resumeFrom ? this.#epochsAt(resumeFrom.step) : 0 };
    this.#run?.dispose();
    this.#run = undefined;
    this.#kept = resumeFrom;
    this.#keptAt = performance.now();
    this.#budget = new StepBudget();
    const onRecovery = ({ reason }: { readonly reason: string }) => this.#send({ kind: "recovery", reason });
    const backend = (this.#backend = await this.#getBackend());
    const options = { backend, resumeFrom, onRecovery };
    this.#run = await createRun({ ...options, config }, this.#surfaces);
    const problem = this.#run?.problem ?? { points: new Float32Array(), test: new Float32Array() };
    // The first frame follows immediately, so that the page never shows the numbers of another network.
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

  /** The epochs after a step of the run. */
  #epochsAt(step: number): number {
    const { step: first, epochs } = this.#began;
    return epochs + (step - first) * (this.#run?.epochsPerStep ?? 0);
  }

  #tellFrame(shown: RunFrame): void {
    const frame = { ...shown, epoch: this.#epochsAt(shown.step) };
    this.#send({ kind: "frame", frame }, buffersOf(frame));
    this.#diverged = !Number.isFinite(frame.loss);
    if (!this.#diverged) return;
    this.#want(this.#request, false);
    const message = "The loss is no longer finite: the learning rate is too high. Lower it and start again.";
    this.#send({ kind: "error", message, deviceGone: false });
  }

  #send(event: PlaygroundEvent, buffers: ArrayBuffer[] = []): void {
    this.#listener(Comlink.transfer(event, buffers), { request: this.#request, subject: this.#subject });
  }

  get #stepsPerSecond(): number {
    const speed = this.#config?.speed ?? "full";
    return speed === "full" ? Infinity : Number(speed);
  }

  /** Runs the steps of one frame, the number that the speed asks for as far as time allows, and shows it. */
  async #train(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    const wanted = Math.max(1, Math.round((this.#stepsPerSecond * this.#frameMilliseconds) / 1000));
    await this.#budget.spend(wanted, (steps) => run.advance(steps));
    await this.#show();
  }
}

/** What a run trains. */
const titles = { classify: "Network", regress: "Network", neuron: "Neuron", surface: "Model" };

async function createRun(options: RunOptions, surfaces: SurfaceCache): Promise<Run | undefined> {
  const { config } = options;
  if (config.mode === "surface") return createSurfaceRun({ ...options, config }, surfaces);
  return createNetworkRun({ ...options, config });
}

/** The settings that the weights depend on. While they stay the same, training continues with the weights. */
function weightsOf(config: PlaygroundConfig): string {
  switch (config.mode) {
    case "classify":
      return JSON.stringify([
        config.mode,
        config.features,
        config.layers,
        config.optimizer,
        config.seed,
        config.loss === "softmaxCrossEntropy",
      ]);
    case "regress":
      return JSON.stringify([config.mode, config.features, config.layers, config.optimizer, config.seed]);
    case "neuron":
      return JSON.stringify([config.mode, config.seed]);
    case "surface":
      return JSON.stringify([config.mode, config.model, config.noise, config.seed, config.start, config.optimizer]);
  }
}

/** The settings that the run depends on: all but the speed. */
const withoutSpeed = (config: PlaygroundConfig): string => JSON.stringify({ ...config, speed: undefined });

function buffersOf(value: Frame | Problem): ArrayBuffer[] {
  const arrays =
    "outputs" in value
      ? [
          value.outputs,
          value.parameters,
          value.path,
          ...value.weights,
          ...value.biases,
          ...value.hidden.map(({ values }) => values),
        ]
      : [value.points, value.test, ...(value.surface ? [value.surface.losses] : [])];
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}
