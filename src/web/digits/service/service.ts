/*
 * The worker's side of the Digits tab: one network in training, what the page is told of it, and what it may ask.
 */
import { transfer } from "comlink";
import {
  DeviceLostError,
  loadModel,
  OptionError,
  type Backend,
  type Recovery,
  type Snapshot,
  type TrainingProgress,
  WgradError,
} from "../../../index.ts";
import type { Answer, CellPictures, Comparison, DigitsApi, DigitsEvent, StepProfile } from "../contract.ts";
import { needsRestart, type DigitsSettings } from "../settings.ts";
import { cellOf } from "./answers.ts";
import { compareDevices, profileStep } from "./apart.ts";
import { loadData, type DigitsData } from "./data.ts";
import { settingsOf } from "./network.ts";
import { Run, type LoadedNetwork } from "./run.ts";
import { NewSteps } from "./steps.ts";
import { Budget, nextTask, Turns } from "./turns.ts";

/** Work of one submit: a pause, a step or a stroke waits no longer than two of them. */
const SUBMIT_MILLISECONDS = 30;

/** The page is told of new steps so often: as often as a chart can be read. */
const TELL_MILLISECONDS = 60;

/** Of the test set so many pictures are looked at while training, or all of it where these take no longer than that. */
const FEW_TESTS = 1000;
const QUICK_MILLISECONDS = 100;

/** The least time between two tasks of the worker in which nothing else is heard. */
const TURN_MILLISECONDS = 8;

/**
 * @param getBackend gives the device once it is open
 * @param getPage gives the page's address, beside which MNIST may lie
 */
export function createDigitsService(getBackend: () => Promise<Backend>, getPage: () => string): DigitsApi {
  return new DigitsService(getBackend, getPage);
}

class DigitsService implements DigitsApi {
  readonly #getBackend: () => Promise<Backend>;
  readonly #getPage: () => string;
  readonly #turns = new Turns();
  readonly #data = new Map<string, Promise<DigitsData>>();
  #listener: (event: DigitsEvent) => unknown = () => {};
  #run: Run | undefined;
  /** Ends the training under way. */
  #controller: AbortController | undefined;
  #training: Promise<void> = Promise.resolve();
  /** Time spent training this network, in seconds. */
  #seconds = 0;
  #tests: Budget | undefined;
  #mostTests = FEW_TESTS;
  #pictures: Budget | undefined;
  #weightsWatched = true;

  constructor(getBackend: () => Promise<Backend>, getPage: () => string) {
    this.#getBackend = getBackend;
    this.#getPage = getPage;
  }

  subscribe(listener: (event: DigitsEvent) => void): void {
    this.#listener = listener;
  }

  begin(settings: DigitsSettings, run: boolean): Promise<void> {
    return this.#alone(async () => {
      await this.#prepare(settings, undefined);
      if (!run) await this.#tellLooks();
      return run;
    });
  }

  adjust(settings: DigitsSettings): Promise<void> {
    return this.#alone(async (wasRunning) => {
      const run = this.#required();
      if (needsRestart(run.options.settings, settings)) {
        throw new OptionError({ where: "adjust", what: "these changes need a restart", fix: "Begin again with them" });
      }
      const snapshot = await run.trainer.snapshot();
      await this.#prepare(settings, run.options.loaded, snapshot);
      if (!wasRunning) await this.#tellLooks();
      return wasRunning;
    });
  }

  start(): Promise<void> {
    return this.#alone(async () => true);
  }

  pause(): Promise<void> {
    return this.#alone(async () => false);
  }

  step(): Promise<void> {
    return this.#alone(async () => {
      await this.#train(1);
      return false;
    });
  }

  watch({ weights }: { weights: boolean }): void {
    this.#weightsWatched = weights;
    if (weights && this.#run) void this.#tellWeights(this.#run);
  }

  async predict(picture: Uint8Array): Promise<Answer> {
    return this.#required().answer(picture);
  }

  async cell(actual: number, predicted: number): Promise<CellPictures> {
    const { predictions, options } = this.#required();
    const cell = predictions ? cellOf(options.data.test, predictions, actual, predicted) : { pictures: new Uint8Array(), count: 0 };
    return transfer(cell, [cell.pictures.buffer as ArrayBuffer]);
  }

  compare(steps: number): Promise<Comparison> {
    return this.#aside(async () => compareDevices(this.#required().options, steps));
  }

  profile(): Promise<StepProfile> {
    return this.#aside(async () => profileStep(this.#required().options));
  }

  async save(): Promise<Uint8Array> {
    const bytes = await this.#required().save();
    return transfer(bytes, [bytes.buffer as ArrayBuffer]);
  }

  async load(bytes: Uint8Array, name: string): Promise<void> {
    const trained = loadModel(bytes, name);
    await this.#alone(async () => {
      const before = this.#required().options;
      const loaded = { file: name, model: trained.model, normalization: trained.normalization };
      await this.#prepare(settingsOf(trained, before.settings), loaded);
      await this.#tellLooks();
      return false;
    });
  }

  #required(): Run {
    if (this.#run) return this.#run;
    throw new OptionError({ where: "digits", what: "there is no network yet", fix: "Wait until one is ready" });
  }

  /** Ends the training, works, and trains on where the work says so; where the work fails, as before. */
  #alone(work: (wasRunning: boolean) => Promise<boolean>): Promise<void> {
    return this.#turns.take(async () => {
      const wasRunning = this.#controller !== undefined;
      this.#controller?.abort();
      await this.#training;
      let goesOn = wasRunning;
      try {
        goesOn = await work(wasRunning);
      } finally {
        if (goesOn) this.#resume();
        else this.#tellStatus(false);
      }
    });
  }

  /** As `#alone`, for work that leaves the network as it is. */
  async #aside<Result>(work: () => Promise<Result>): Promise<Result> {
    let result: Result;
    await this.#alone(async (wasRunning) => {
      result = await work();
      return wasRunning;
    });
    return result!;
  }

  /** Puts a trainer of the settings in the place of the one before, which stays where this fails. */
  async #prepare(settings: DigitsSettings, loaded: LoadedNetwork | undefined, resumeFrom?: Snapshot): Promise<void> {
    const [backend, data] = await Promise.all([this.#getBackend(), this.#dataOf(settings)]);
    const onRecovery = ({ fromStep, toStep }: Recovery) => this.#tell({ kind: "recovered", fromStep, toStep });
    const run = await Run.create({ backend, settings, data, loaded, onRecovery, ...(resumeFrom && { resumeFrom }) });
    this.#run?.trainer.dispose();
    this.#run = run;
    if (!resumeFrom) this.#seconds = 0;
    const { trainer, model } = run;
    const parameters = model.parameters.reduce((sum, { size }) => sum + size, 0);
    this.#tell({
      kind: "prepared",
      settings,
      step: trainer.step,
      stepsTotal: trainer.stepsTotal,
      stepsPerEpoch: trainer.stepsPerEpoch,
      data: data.name,
      trainingExamples: data.train.count,
      testExamples: data.test.count,
      parameters,
      file: loaded?.file,
      dispatches: trainer.dispatches,
    });
    // Training begins with them; without it they follow.
    this.#tests = new Budget(0.3, 400);
    this.#pictures = new Budget(0.2, 200);
  }

  #dataOf({ data }: DigitsSettings): Promise<DigitsData> {
    const known = this.#data.get(data) ?? loadData(data, this.#getPage());
    this.#data.set(data, known);
    // Files may be put there later.
    known.catch(() => this.#data.delete(data));
    return known;
  }

  #resume(): void {
    this.#training = this.#train().then(() => this.#tellStatus(false));
  }

  /** Trains until it is stopped or the run ends; faults are told and end it. */
  async #train(maxSteps?: number): Promise<void> {
    const run = this.#required();
    const controller = new AbortController();
    this.#controller = controller;
    if (maxSteps === undefined) this.#tellStatus(true);
    const steps = new NewSteps();
    const before = this.#seconds;
    const tell = () => {
      const event = steps.take(before);
      if (!event) return;
      this.#seconds = event.seconds;
      this.#tell(event, [event.losses.buffer as ArrayBuffer, event.accuracies.buffer as ArrayBuffer]);
    };
    let [testing, drawing] = [Promise.resolve(), Promise.resolve()];
    try {
      let [told, turned] = [performance.now(), performance.now()];
      const options = { every: 1, submitMilliseconds: SUBMIT_MILLISECONDS, signal: controller.signal };
      for await (const progress of run.trainer.fit({ ...options, ...(maxSteps !== undefined && { maxSteps }) })) {
        steps.add(progress);
        if (!Number.isFinite(progress.loss)) throw diverged(progress);
        const now = performance.now();
        if (now - told > TELL_MILLISECONDS) {
          told = now;
          tell();
        }
        if (now - turned > TURN_MILLISECONDS) {
          await nextTask();
          turned = performance.now();
          if (this.#tests?.isDue) testing = this.#tests.spend(() => this.#tellTest(run, this.#mostTests));
          if (this.#pictures?.isDue) drawing = this.#pictures.spend(() => this.#tellWeights(run));
        }
      }
      tell();
      // A pause is seen at once; what the last step made of the network follows.
      if (maxSteps === undefined) this.#tellStatus(false);
      await this.#tellLooks();
    } catch (error) {
      tell();
      this.#fail(error);
    } finally {
      this.#controller = undefined;
      await Promise.all([testing, drawing]);
    }
  }

  async #tellLooks(): Promise<void> {
    const run = this.#required();
    await this.#tellTest(run);
    await this.#tellWeights(run);
  }

  /** Never rejects: a fault is told. */
  async #tellTest(run: Run, most = Infinity): Promise<void> {
    try {
      const started = performance.now();
      const found = await run.test(most);
      this.#mostTests = performance.now() - started < QUICK_MILLISECONDS ? Infinity : FEW_TESTS;
      this.#tell({ kind: "test", seconds: this.#seconds, ...found }, [found.pictures.buffer as ArrayBuffer]);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Never rejects: a fault is told, but for a lost device, which the training hears of and replaces. */
  async #tellWeights(run: Run): Promise<void> {
    try {
      const found = this.#weightsWatched ? await run.weights() : undefined;
      if (found) this.#tell({ kind: "weights", ...found }, [found.values.buffer as ArrayBuffer]);
    } catch (error) {
      if (!(error instanceof DeviceLostError)) this.#fail(error);
    }
  }

  #tellStatus(running: boolean): void {
    if (this.#run) this.#tell({ kind: "status", running, step: this.#run.trainer.step });
  }

  #tell(event: DigitsEvent, buffers: ArrayBuffer[] = []): void {
    void this.#listener(transfer(event, buffers));
  }

  readonly #fail = (error: unknown): void => {
    this.#tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  };
}

/** Seen on the page's own side, which has every step's loss: the trainer's guard would cost each step a dispatch. */
const diverged = ({ step, loss }: TrainingProgress) =>
  new WgradError({ what: `the loss of step ${step} is ${loss}`, fix: "Choose a lower learning rate and reset" });
