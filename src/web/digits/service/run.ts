/*
 * A network in training on the Digits tab, its evaluation and its predictions.
 */
import { firstExamples } from "../../../data/split.ts";
import {
  add,
  constant,
  createTrainer,
  defineGraph,
  DeviceLostError,
  input,
  multiply,
  predictedClasses,
  reshape,
  standardization,
  type Backend,
  type Executable,
  type LossName,
  type Model,
  type Normalization,
  type Recovery,
  type Session,
  type Snapshot,
  type Trainer,
} from "../../../index.ts";
import type { Prediction, TestEvent, WeightsEvent } from "../contract.ts";
import type { DigitsSettings } from "../settings.ts";
import { confusionOf, picturesOf, sharesOf, weightPictures, worstMistakes } from "./predictions.ts";
import { epochsAt, fromTheStart, scheduleOnCourse, totalStepsOf, type Course } from "./course.ts";
import type { DigitsData } from "./data.ts";
import { factsOf, modelOf, optimizerOf, scheduleOf, summarizeLayer } from "./network.ts";

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

/** A graph that computes the outputs of the shown layers for one image. */
interface InferenceGraph {
  readonly picture: ReturnType<typeof input>;
  readonly executable: Executable;
  readonly layers: readonly number[];
}

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
  #inference: { session: Session; graph: Promise<InferenceGraph> } | undefined;
  /** Predictions run one after the other, since all write the same input. */
  #lastPrediction: Promise<unknown> = Promise.resolve();
  /** The promise of the device's loss, and whether it has resolved. */
  #watched: { readonly lost: Promise<string>; isLost: boolean } | undefined;
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
    const { lost } = this.options.backend;
    if (this.#watched?.lost !== lost) {
      const begun = { lost, isLost: false };
      void lost.then(() => (begun.isLost = true));
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

  /** The first layer's weights; undefined if they are not a matrix. */
  async weights(): Promise<Omit<WeightsEvent, "kind"> | undefined> {
    const [weight] = this.model.parameters;
    const units = weight?.shape[1];
    if (!weight || units === undefined) return undefined;
    return { units, ...weightPictures(await this.#track(this.trainer.session.read(weight)), units) };
  }

  /** The network's prediction for an image, and the outputs of its hidden layers. */
  predict(picture: Uint8Array): Promise<Prediction> {
    const prediction = this.#lastPrediction.then(async () => {
      const { trainer } = this;
      const isDeviceLoss = this.watchDevice();
      try {
        return await this.#predict(picture);
      } catch (error) {
        if (!isDeviceLoss(error)) throw error;
        // The trainer's own predict replaces a lost device.
        await trainer.predict(picture).catch((failure: unknown) => {
          if (!isDeviceLoss(failure)) throw failure;
        });
        return this.#predict(picture);
      }
    });
    this.#lastPrediction = prediction.catch(() => {});
    return this.#track(prediction);
  }

  async #predict(picture: Uint8Array): Promise<Prediction> {
    const { session } = this.trainer;
    if (this.#inference?.session !== session) this.#inference = { session, graph: this.#compileInference(session) };
    const { picture: leaf, executable, layers } = await this.#inference.graph;
    session.write(leaf, Float32Array.from(picture));
    const running = executable.run(0, 1);
    const valuesOf = async (layer: number) => {
      const name = String(layer);
      // The run returns outputs of one element; others are read.
      const values =
        this.model.shapes[layer + 1]!.join() === "1" ? (await running)[name]! : await executable.read(name);
      return Float32Array.from(values);
    };
    // Awaited together: if the device is lost, the run fails before the reads, and its rejection would be unhandled.
    const [values] = await Promise.all([Promise.all(layers.map(valuesOf)), running]);
    const outputs = values.at(-1)!;
    return { probabilities: sharesOf(outputs, outputs.length, this.loss), hidden: values.slice(0, -1) };
  }

  async #compileInference(session: Session): Promise<InferenceGraph> {
    const { model, normalization } = this;
    const features = model.inputShape.reduce((product, size) => product * size, 1);
    const picture = input("picture", [1, features]);
    const constants = (values: number | readonly number[]) =>
      constant(values, typeof values === "number" ? [] : [features]);
    const scaled = add(multiply(picture, constants(normalization.scale)), constants(normalization.offset));
    const values = model.applyEach(reshape(scaled, [1, ...model.inputShape]));
    // Dropout has no effect here. A dense layer that an activation layer follows is shown after the activation.
    const summaries = model.config.layers.map(summarizeLayer);
    const onlyActivates = (layer: number) =>
      summaries[layer]?.activation !== undefined && summaries[layer].units === undefined;
    const shows = (layer: number) =>
      onlyActivates(layer) || (summaries[layer]?.units !== undefined && !onlyActivates(layer + 1));
    const layers = values.flatMap((_, layer) => (shows(layer) || layer === values.length - 1 ? [layer] : []));
    const outputs = Object.fromEntries(layers.map((layer) => [String(layer), values[layer]!]));
    return { picture, layers, executable: await session.compile(defineGraph(outputs)) };
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
