/*
 * A network in training on the Digits tab, its evaluation and its predictions.
 */
import { firstExamples } from "../../../data/split.ts";
import {
  createTrainer,
  DeviceLostError,
  predictedClasses,
  standardization,
  type Backend,
  type LossName,
  type Model,
  type Normalization,
  type Recovery,
  type Snapshot,
  type Tensor,
  type Trainer,
} from "../../../index.ts";
import type { CellPictures, Prediction, TestEvent, WeightsEvent } from "../contract.ts";
import type { DigitsSettings } from "../settings.ts";
import { Inference } from "./inference.ts";
import {
  confusionOf,
  excitingPictures,
  inkedPixels,
  picturesOf,
  sharesOf,
  weightTiles,
  worstMistakes,
} from "./predictions.ts";
import { epochsAt, fromTheStart, scheduleOnCourse, totalStepsOf, type Course } from "./course.ts";
import type { DigitsData } from "./data.ts";
import { denseWeights, factsOf, modelOf, optimizerOf, scheduleOf } from "./network.ts";
import { shownLayers, type LayerWeights } from "./shown-units.ts";

/** A network that was loaded from a file. */
export interface LoadedNetwork {
  readonly file: { readonly name: string; readonly bytes: Uint8Array };
  readonly model: Model;
  readonly normalization: Normalization;
}

export interface RunOptions {
  readonly backend: Backend;
  readonly settings: DigitsSettings;
  readonly data: DigitsData;
  readonly loaded: LoadedNetwork | undefined;
  /** The normalization of the resumed network. By default that of the file, or computed from the data. */
  readonly normalization?: Normalization;
  readonly resumeFrom?: Snapshot;
  /** The position of `resumeFrom` in the run. */
  readonly course?: Course;
  readonly onRecovery?: (recovery: Recovery) => void;
}

/** More epochs than any run reaches. */
const ENDLESS_EPOCHS = 1e9;

export class Run {
  readonly options: RunOptions;
  readonly trainer: Trainer;
  readonly model: Model;
  readonly normalization: Normalization;
  readonly course: Course;
  /** The request that created the network. */
  request: number;
  /** The last finished step. `trainer.step` is the last submitted one. */
  step: number;
  /** Time spent training this network, in seconds. */
  seconds = 0;
  /** The estimated time of a forward pass of one example, from the last steps; undefined at first. */
  forwardMilliseconds: number | undefined;
  /** The last predictions for the test images, and their accuracy. */
  predictions: Uint32Array | undefined;
  accuracy: number | undefined;
  readonly #inference = new Inference(this);
  /** The units of each layer that the page draws. */
  #shown: readonly Uint32Array[] = [];
  /** Which pixels have ink in a training image. */
  #inked: Uint8Array | undefined;
  #lastInference: Promise<unknown> = Promise.resolve();
  /** The session in use, and whether its device was lost. */
  #watched: { readonly session: unknown; isLost: boolean } | undefined;
  /** The pending calls of the trainer and its session. */
  readonly #pending = new Set<Promise<unknown>>();

  private constructor(
    options: RunOptions,
    model: Model,
    normalization: Normalization,
    trainer: Trainer,
    request: number,
  ) {
    this.options = options;
    this.model = model;
    this.normalization = normalization;
    this.trainer = trainer;
    this.course = options.course ?? fromTheStart;
    this.request = request;
    this.step = trainer.step;
  }

  /** @throws as `createTrainer` does */
  static async create(options: RunOptions, request = 0): Promise<Run> {
    const { backend, settings, data, loaded, resumeFrom, onRecovery, course } = options;
    const { train } = data;
    const model = loaded?.model ?? modelOf(settings, train.features.length / train.count, train.classes.length);
    const normalization = options.normalization ?? loaded?.normalization ?? standardization(train.features);
    const batchSize = Math.min(settings.batchSize, train.count);
    const schedule = scheduleOf(settings);
    const stepsPerEpoch = Math.floor(train.count / batchSize);
    const trainer = await createTrainer({
      model,
      dataset: train,
      backend,
      normalization,
      loss: settings.loss,
      optimizer: optimizerOf(settings),
      learningRate: settings.learningRate,
      batchSize,
      ...(course
        ? {
            // The batch size has changed during this run, so its end is given in steps.
            epochs: ENDLESS_EPOCHS,
            maxSteps: Math.max(1, totalStepsOf(course, stepsPerEpoch, settings.epochs)),
            schedule: scheduleOnCourse(schedule, course, stepsPerEpoch, settings.epochs),
          }
        : { epochs: settings.epochs, schedule }),
      seed: settings.seed,
      // The page sees it in the loss of every step, which it draws.
      onNonFinite: "ignore",
      snapshotSeconds: 2,
      ...(resumeFrom && { resumeFrom }),
      ...(onRecovery && { onRecovery }),
    });
    return new Run(options, model, normalization, trainer, request);
  }

  /** The epochs finished at the end of a step, such as 2.5. */
  epochsAt(step: number): number {
    return epochsAt(this.course, this.trainer.stepsPerEpoch, step);
  }

  get isFinished(): boolean {
    return this.trainer.step >= this.trainer.totalSteps;
  }

  get loss(): LossName {
    return this.options.settings.loss;
  }

  get classes(): number {
    return this.options.data.train.classes.length;
  }

  /** Frees the trainer after all pending calls, which use its device memory. */
  async dispose(): Promise<void> {
    await Promise.allSettled(this.#pending);
    this.trainer.dispose();
  }

  /**
   * Call it before work on the device.
   * @returns a function that tells whether an error of that work is due to the loss of the device. After a loss, work may
   * fail with any error.
   */
  watchDevice(): (failure: unknown) => boolean {
    // The session of a lost device stays in use, disposed of, for a moment after the backend has another device.
    const { session } = this.trainer;
    if (this.#watched?.session !== session) {
      const begun = { session, isLost: false };
      void this.options.backend.lost.then(() => (begun.isLost = true));
      this.#watched = begun;
    }
    const watched = this.#watched;
    return (failure) => failure instanceof DeviceLostError || watched.isLost;
  }

  #track<Result>(work: Promise<Result>): Promise<Result> {
    this.#pending.add(work);
    const forget = () => this.#pending.delete(work);
    work.then(forget, forget);
    return work;
  }

  snapshot(): Promise<Snapshot> {
    return this.#track(this.trainer.snapshot());
  }

  /** Evaluates the network on the first `most` test images. */
  test(most: number): Promise<Omit<TestEvent, "kind" | "seconds">> {
    return this.#track(this.#test(most));
  }

  async #test(most: number): Promise<Omit<TestEvent, "kind" | "seconds">> {
    const { classes, trainer } = this;
    const test = firstExamples(this.options.data.test, most);
    const step = trainer.step;
    const [{ loss, accuracy }, outputs] = await Promise.all([trainer.evaluate(test), trainer.predict(test.features)]);
    const predictions = (this.predictions = predictedClasses(outputs, classes));
    this.accuracy = accuracy;
    const shares = sharesOf(outputs, classes, this.loss);
    const mistakes = worstMistakes(test.labels, predictions, shares, classes);
    const pictures = picturesOf(
      test,
      mistakes.map(({ index }) => index),
    );
    const { count } = test;
    return {
      step,
      count,
      loss,
      accuracy,
      confusion: confusionOf(test.labels, predictions, classes),
      mistakes,
      pictures,
    };
  }

  /**
   * The weights that the page draws; undefined if the first ones are not a matrix.
   * @param all whether to include the weights of all units of the first layer
   */
  async weights(all: boolean): Promise<Omit<WeightsEvent, "kind"> | undefined> {
    const parameters = denseWeights(this.model.parameters);
    if (parameters.length === 0) return undefined;
    const read = async (weight: Tensor): Promise<LayerWeights> => ({
      inputs: weight.shape[0]!,
      units: weight.shape[1]!,
      values: (await this.trainer.session.read(weight)) as Float32Array,
    });
    const [first, ...others] = await this.#track(Promise.all(parameters.map(read)));
    const layers = shownLayers([first!, ...others], this.#shown);
    this.#shown = layers.map(({ units }) => units);
    const { units } = first!;
    const tileUnits = all ? Uint32Array.from({ length: units }, (_, unit) => unit) : layers[0]!.units;
    this.#inked ??= inkedPixels(this.options.data.train);
    return { layers, units, tileUnits, ...weightTiles(first!, tileUnits), inked: this.#inked };
  }

  /** The test images with the largest outputs of a unit. */
  exciting(layer: number, unit: number): Promise<CellPictures> {
    // The time of a forward pass is not known before the first steps.
    const isSlow = (this.forwardMilliseconds ?? 0) * 500 > 500;
    const test = firstExamples(this.options.data.test, isSlow ? 100 : 500);
    const outputs = this.#inTurn(async () => this.#inference.outputsOf(layer, test));
    return this.#track(
      outputs.then((values) => excitingPictures(test, values, { unit, units: values.length / test.count })),
    );
  }

  /** The network's prediction for an image, and the outputs of its hidden layers. */
  predict(picture: Uint8Array): Promise<Prediction> {
    return this.#track(
      this.#inTurn(async () => {
        const { trainer } = this;
        const isDeviceLoss = this.watchDevice();
        try {
          return await this.#inference.predict(picture);
        } catch (error) {
          if (!isDeviceLoss(error)) throw error;
          // The trainer's own predict replaces a lost device.
          await trainer.predict(picture).catch((failure: unknown) => {
            // A device that cannot be replaced is reported as the training reports it.
            if (failure instanceof DeviceLostError || !isDeviceLoss(failure)) throw failure;
          });
          return this.#inference.predict(picture);
        }
      }),
    );
  }

  /** The predictions for several images, ten values in [0, 1] for each. */
  async read(pictures: Uint8Array): Promise<Float32Array> {
    return sharesOf(await this.#track(this.trainer.predict(pictures)), this.classes, this.loss);
  }

  /** Runs inference when the one before has ended, since all write the same inputs. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#lastInference.then(work);
    this.#lastInference = result.catch(() => {});
    return result;
  }

  /** The network as a file, with its results on the test set. */
  async save(): Promise<Uint8Array> {
    const { trainer, model, normalization, loss, options } = this;
    const { train, test } = options.data;
    const { saveModel } = await import("./files.ts");
    const [snapshot, found] = await this.#track(Promise.all([trainer.snapshot(), trainer.evaluate(test)]));
    const { loss: testLoss, accuracy, count } = found;
    const trained = {
      model,
      loss,
      normalization,
      classes: train.classes,
      step: snapshot.step,
      training: factsOf(options.settings, train.name),
      results: { loss: testLoss, accuracy, count },
    };
    return saveModel(trained, snapshot.parameters);
  }
}
