/*
 * A network in training on the Digits tab, and looks into it.
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
  saveModel,
  standardization,
  summarizeLayer,
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
import { factsOf, modelOf, optimizerOf, scheduleOf } from "./network.ts";

/** A network that was not drawn from the settings: the one of a file. */
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
  /** Of the network that goes on; by default the file's, or that of the data. */
  readonly normalization?: Normalization;
  readonly resumeFrom?: Snapshot;
  /** Where `resumeFrom` stands. */
  readonly course?: Course;
  readonly onRecovery?: (recovery: Recovery) => void;
}

/** More epochs than anybody waits for. */
const ENDLESS_EPOCHS = 1e9;

/** What of a picture's way through the network is read. */
interface Look {
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
  /** The request that the network follows from. */
  request: number;
  /** The last finished step: the trainer's own is the last submitted one. */
  step: number;
  /** Time spent training this network, in seconds. */
  seconds = 0;
  /** About what it takes to apply the network to one example, by how long the last steps took; not known at first. */
  forwardMilliseconds: number | undefined;
  /** What the network last took each test picture for, and the share that was right. */
  predictions: Uint32Array | undefined;
  accuracy: number | undefined;
  #look: { session: Session; made: Promise<Look> } | undefined;
  /** Looks at pictures one after the other: each writes the same input. */
  #looking: Promise<unknown> = Promise.resolve();
  /** The device's loss, and whether it came. */
  #watched: { readonly lost: Promise<string>; isLost: boolean } | undefined;
  /** What is asked of the trainer and not answered yet. */
  readonly #asked = new Set<Promise<unknown>>();

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
            // Its steps were not all of the present size: the run ends after so many examples.
            epochs: ENDLESS_EPOCHS,
            maxSteps: Math.max(1, totalStepsOf(course, stepsPerEpoch, settings.epochs)),
            schedule: scheduleOnCourse(schedule, course, stepsPerEpoch, settings.epochs),
          }
        : { epochs: settings.epochs, schedule }),
      seed: settings.seed,
      snapshotSeconds: 2,
      ...(resumeFrom && { resumeFrom }),
      ...(onRecovery && { onRecovery }),
    });
    return new Run(options, model, normalization, trainer, request);
  }

  /** Epochs made when a step is finished, such as 2.5. */
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

  /** Waits for what was asked, since it works on the device's memory, and frees the trainer. */
  async dispose(): Promise<void> {
    await Promise.allSettled(this.#asked);
    this.trainer.dispose();
  }

  /**
   * To be called before work on the device.
   * @returns whether a failure of that work comes of the loss of its device: it may fail in other ways after the loss
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

  #ask<Result>(work: Promise<Result>): Promise<Result> {
    this.#asked.add(work);
    const forget = () => this.#asked.delete(work);
    work.then(forget, forget);
    return work;
  }

  snapshot(): Promise<Snapshot> {
    return this.#ask(this.trainer.snapshot());
  }

  /** Applies the network to the first pictures of the test set, at most so many. */
  test(most: number): Promise<Omit<TestEvent, "kind" | "seconds">> {
    return this.#ask(this.#test(most));
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

  /** The first layer's weights; undefined where the network begins with something else. */
  async weights(): Promise<Omit<WeightsEvent, "kind"> | undefined> {
    const [weight] = this.model.parameters;
    const units = weight?.shape[1];
    if (!weight || units === undefined) return undefined;
    return { units, ...weightPictures(await this.#ask(this.trainer.session.read(weight)), units) };
  }

  /** What the network makes of a picture, and what its hidden layers give. */
  answer(picture: Uint8Array): Promise<Prediction> {
    const answered = this.#looking.then(async () => {
      const { trainer } = this;
      const isOfTheOld = this.watchDevice();
      try {
        return await this.#answer(picture);
      } catch (error) {
        if (!isOfTheOld(error)) throw error;
        // The trainer replaces a lost device where it predicts by itself.
        await trainer.predict(picture).catch((failure: unknown) => {
          if (!isOfTheOld(failure)) throw failure;
        });
        return this.#answer(picture);
      }
    });
    this.#looking = answered.catch(() => {});
    return this.#ask(answered);
  }

  async #answer(picture: Uint8Array): Promise<Prediction> {
    const { session } = this.trainer;
    if (this.#look?.session !== session) this.#look = { session, made: this.#compileLook(session) };
    const { picture: leaf, executable, layers } = await this.#look.made;
    session.write(leaf, Float32Array.from(picture));
    const running = executable.run(0, 1);
    const valuesOf = async (layer: number) => {
      const name = String(layer);
      // A layer of one unit is a scalar of the run.
      const values =
        this.model.shapes[layer + 1]!.join() === "1" ? (await running)[name]! : await executable.read(name);
      return Float32Array.from(values);
    };
    // Awaited together: where the device is lost, the run fails before the reads do, and would fail unhandled.
    const [values] = await Promise.all([Promise.all(layers.map(valuesOf)), running]);
    const outputs = values.at(-1)!;
    return { probabilities: sharesOf(outputs, outputs.length, this.loss), hidden: values.slice(0, -1) };
  }

  async #compileLook(session: Session): Promise<Look> {
    const { model, normalization } = this;
    const features = model.inputShape.reduce((product, size) => product * size, 1);
    const picture = input("picture", [1, features]);
    const constants = (values: number | readonly number[]) =>
      constant(values, typeof values === "number" ? [] : [features]);
    const scaled = add(multiply(picture, constants(normalization.scale)), constants(normalization.offset));
    const values = model.applyEach(reshape(scaled, [1, ...model.inputShape]));
    // Without training dropout changes nothing, and a dense layer before an activation is shown after it.
    const summaries = model.config.layers.map(summarizeLayer);
    const onlyActivates = (layer: number) =>
      summaries[layer]?.activation !== undefined && summaries[layer].units === undefined;
    const shows = (layer: number) =>
      onlyActivates(layer) || (summaries[layer]?.units !== undefined && !onlyActivates(layer + 1));
    const layers = values.flatMap((_, layer) => (shows(layer) || layer === values.length - 1 ? [layer] : []));
    const outputs = Object.fromEntries(layers.map((layer) => [String(layer), values[layer]!]));
    return { picture, layers, executable: await session.compile(defineGraph(outputs)) };
  }

  /** The network as a file, with what the test set gives. */
  async save(): Promise<Uint8Array> {
    const { trainer, model, normalization, loss, options } = this;
    const { train, test } = options.data;
    const [snapshot, results] = await this.#ask(Promise.all([trainer.snapshot(), trainer.evaluate(test)]));
    const trained = {
      model,
      loss,
      normalization,
      classes: train.classes,
      step: snapshot.step,
      training: factsOf(options.settings, train.name),
      results: { ...results },
    };
    return saveModel(trained, snapshot.parameters);
  }
}
