/*
 * The worker's side of the Convolution tab. It trains two networks and reports to one listener what they compute for the
 * picture.
 */
import * as Comlink from "comlink";
import { DeviceLostError, WgradError, type Backend, type Snapshot } from "../../../index.ts";
import { loadData } from "../../digits/service/data.ts";
import { Budget } from "../../digits/service/turns.ts";
import type { Stamp } from "../../shared/requests.ts";
import { StepBudget, TrainingLoop } from "../../shared/training-loop.ts";
import type { ConvolutionApi, ConvolutionEvent, Frame, Pair, Subject } from "../contract.ts";
import { fallbackSubject, type TrainingSettings } from "../settings.ts";
import { PICTURE_SIDE } from "../stages.ts";
import { samplesOf, shifted } from "./pictures.ts";
import { Run } from "./run.ts";

/** The least time between two frames. */
const FRAME_MILLISECONDS = 60;

/** The parts of the time spent on the predictions at every shift and on test images, and the least time between two. */
const SHIFTS = { share: 0.1, milliseconds: 300 };
const ACCURACY = { share: 0.1, milliseconds: 1000 };

/** The time between two snapshots, from which training continues if the device is lost for good. */
const KEEP_MILLISECONDS = 2000;

export interface ServiceOptions {
  /** Called with the first settings; the backend is shared with the other tabs. */
  readonly getBackend: () => Promise<Backend>;
  /** The page's address, beside which MNIST is looked for. */
  readonly getPage: () => string;
}

export function createConvolutionService(options: ServiceOptions): ConvolutionApi {
  return new ConvolutionService(options);
}

class ConvolutionService implements ConvolutionApi {
  readonly #options: ServiceOptions;
  readonly #loop: TrainingLoop;
  #listener: (event: ConvolutionEvent, stamp: Stamp) => void = () => {};
  /** The last request that arrived, the last one with settings or a restart, and the last restart. */
  #request = 0;
  #lastReplacing = 0;
  #lastStart = 0;
  /** The request that created the networks. */
  #subject = 0;
  /** The last settings that arrived, and those of the networks. */
  #settings: TrainingSettings | undefined;
  #begun: TrainingSettings | undefined;
  #backend: Backend | undefined;
  #run: Run | undefined;
  #samples: Uint8Array | undefined;
  #seen: Subject = fallbackSubject;
  /** The last saved state of both networks. */
  #kept: Pair<Snapshot> | undefined;
  #keptAt = -Infinity;
  #frameMilliseconds = FRAME_MILLISECONDS;
  #steps = new StepBudget();
  #shifts = new Budget(SHIFTS.share, SHIFTS.milliseconds);
  #accuracy = new Budget(ACCURACY.share, ACCURACY.milliseconds);
  /** Whether the networks have been tested. */
  #isTested = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#loop = new TrainingLoop({
      train: () => this.#train(),
      onWanted: (running) => this.#send({ kind: "running", running }),
      onError: (error) => this.#tellError(error),
      interval: () => this.#frameMilliseconds,
    });
  }

  async subscribe(listener: (event: ConvolutionEvent, stamp: Stamp) => void): Promise<void> {
    this.#listener = listener;
  }

  async setFrameTime(milliseconds: number): Promise<void> {
    this.#frameMilliseconds = milliseconds;
  }

  configure(request: number, settings: TrainingSettings): Promise<void> {
    this.#settings = settings;
    return this.#replace(request, async () => {
      if (request < this.#lastReplacing) return;
      const isNewDevice = this.#backend !== (await this.#options.getBackend());
      const isSame = this.#run && JSON.stringify(settings) === JSON.stringify(this.#begun);
      if (!isSame) await this.#begin(undefined);
      else if (isNewDevice) await this.#begin(this.#kept);
    });
  }

  reset(request: number): Promise<void> {
    return this.#startOver(request, () => undefined);
  }

  resume(request: number): Promise<void> {
    this.#want(request, true);
    return this.#startOver(request, () => this.#kept);
  }

  async start(request: number): Promise<void> {
    this.#want(request, true);
  }

  async pause(request: number): Promise<void> {
    this.#want(request, false);
    await this.#loop.inTurn(async () => {
      await this.#showPicture();
      await this.#showAccuracy();
      await this.#keep();
    });
  }

  async step(request: number): Promise<void> {
    this.#want(request, false);
    await this.#loop.inTurn(async () => {
      await this.#run?.advance(1);
      await this.#showPicture();
      await this.#testIfDue();
    });
  }

  async show(request: number, visible: boolean): Promise<void> {
    this.#request = request;
    this.#loop.show(visible);
    if (!visible) await this.#loop.inTurn(async () => {});
  }

  async look(request: number, subject: Subject): Promise<void> {
    this.#request = request;
    this.#seen = subject;
    await this.#loop.inTurn(async () => {
      // While training runs, the next frame follows soon.
      if (this.#seen !== subject || this.#loop.isActive) return;
      await this.#showPicture();
    });
  }

  #want(request: number, wanted: boolean): void {
    this.#request = request;
    this.#loop.want(wanted);
  }

  #startOver(request: number, from: () => Pair<Snapshot> | undefined): Promise<void> {
    this.#lastStart = request;
    return this.#replace(request, async () => {
      if (request === this.#lastStart) await this.#begin(from());
    });
  }

  /** Queues work that may replace the networks, with the newest settings at the time it runs. */
  #replace(request: number, work: () => Promise<void>): Promise<void> {
    this.#request = this.#lastReplacing = request;
    return this.#loop.inTurn(async () => {
      if (this.#settings) await work();
    });
  }

  /** Creates the networks with the current settings. They continue from snapshots, if there are any. */
  async #begin(resumeFrom: Pair<Snapshot> | undefined): Promise<void> {
    this.#subject = this.#lastReplacing;
    const { data: choice, seed } = (this.#begun = this.#settings!);
    this.#run?.dispose();
    this.#run = undefined;
    this.#kept = resumeFrom;
    this.#keptAt = performance.now();
    this.#steps = new StepBudget();
    this.#isTested = false;
    const onRecovery = ({ reason }: { readonly reason: string }) => this.#send({ kind: "recovery", reason });
    const { getBackend, getPage } = this.#options;
    const [backend, data] = await Promise.all([getBackend(), loadData(choice, getPage())]);
    this.#backend = backend;
    const run = (this.#run = await Run.create({ backend, data, seed, resumeFrom, onRecovery }));
    const { parameters, trainingExamples } = run;
    const samples = (this.#samples = samplesOf(data.test));
    const fresh = resumeFrom === undefined;
    this.#send({ kind: "prepared", fresh, data: data.name, trainingExamples, parameters, samples });
    await this.#showPicture();
  }

  /** Runs steps as far as time allows, and shows the result. */
  async #train(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    await this.#steps.spend(Infinity, (steps) => run.advance(steps));
    await this.#showFrame();
    if (this.#shifts.isDue) await this.#shifts.spend(() => this.#showShifts());
    await this.#testIfDue();
    if (performance.now() - this.#keptAt >= KEEP_MILLISECONDS) await this.#keep();
  }

  /** Tests the networks if it is time. The first test compiles its graphs, so its time does not delay the next one. */
  async #testIfDue(): Promise<void> {
    if (this.#isTested && !this.#accuracy.isDue) return;
    await this.#accuracy.spend(() => this.#showAccuracy());
    if (!this.#isTested) this.#accuracy = new Budget(ACCURACY.share, ACCURACY.milliseconds);
    this.#isTested = true;
  }

  /** Saves the state of both networks. */
  async #keep(): Promise<void> {
    this.#keptAt = performance.now();
    this.#kept = await this.#run?.snapshot();
  }

  /** Shows all that the networks compute for the picture. */
  async #showPicture(): Promise<void> {
    await this.#showFrame();
    await this.#showShifts();
  }

  async #showFrame(): Promise<void> {
    const frame = await this.#run?.frame(shifted(this.#picture(), this.#seen.shift));
    if (frame) this.#send({ kind: "frame", frame }, buffersOf(frame));
  }

  async #showShifts(): Promise<void> {
    const found = await this.#run?.shifts(this.#picture());
    if (found) this.#send({ kind: "shifts", ...found });
  }

  async #showAccuracy(): Promise<void> {
    const found = await this.#run?.accuracy();
    if (found) this.#send({ kind: "accuracy", ...found });
  }

  /** The drawing, or a test image. */
  #picture(): Uint8Array {
    const { drawn, digit } = this.#seen;
    const size = PICTURE_SIDE ** 2;
    return drawn ?? this.#samples?.subarray(digit * size, (digit + 1) * size) ?? new Uint8Array(size);
  }

  #tellError(error: unknown): void {
    const message = error instanceof WgradError ? error.message : `Error in the worker: ${String(error)}`;
    this.#send({ kind: "error", message, deviceGone: error instanceof DeviceLostError });
  }

  #send(event: ConvolutionEvent, buffers: ArrayBuffer[] = []): void {
    this.#listener(Comlink.transfer(event, buffers), { request: this.#request, subject: this.#subject });
  }
}

const buffersOf = ({ picture, maps, filters }: Frame): ArrayBuffer[] =>
  [picture, ...maps, ...filters.flatMap(({ weights, biases }) => [weights, biases])].map(
    ({ buffer }) => buffer as ArrayBuffer,
  );
