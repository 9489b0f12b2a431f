/*
 * A convolutional and a dense network that train on the same digits. Runs in the worker.
 */
import { firstExamples } from "../../../data/split.ts";
import {
  createTrainer,
  defineGraph,
  dense,
  DeviceLostError,
  input,
  optimizers,
  predictedClasses,
  probabilities,
  sequential,
  type Backend,
  type ClassificationDataset,
  type Executable,
  type Model,
  type Session,
  type Snapshot,
  type Trainer,
} from "../../../index.ts";
import { conv2d } from "../../../nn/layers/conv2d/index.ts";
import { flatten } from "../../../nn/layers/flatten/index.ts";
import { maxPool2d } from "../../../nn/layers/maxPool2d/index.ts";
import type { DigitsData } from "../../digits/service/data.ts";
import { advance, ENDLESS_EPOCHS } from "../../shared/advance.ts";
import type { StepDispatches } from "../../shared/run-contract.ts";
import { testedShifts, type AccuracyEvent, type Frame, type Pair, type ShiftsEvent } from "../contract.ts";
import type { TrainingSettings } from "../settings.ts";
import { DENSE_UNITS, PICTURE_SIDE, stages } from "../stages.ts";
import { atEveryShift, shareCorrect, shiftedImages } from "./pictures.ts";

/** Enough for a test accuracy of 97 % on MNIST, and a sixth of the memory of all images. */
const TRAINING_EXAMPLES = 10_000;

/** Few enough to be tested several times a minute on a slow device. */
const TEST_EXAMPLES = 200;

const CLASSES = 10;

/** Pixels as shares of the brightest one: the background is 0, so that it adds nothing to a sum of products. */
const normalization = { scale: 1 / 255, offset: 0 };

export interface RunOptions {
  readonly backend: Backend;
  readonly data: DigitsData;
  readonly settings: TrainingSettings;
  /** The state of each network, if training continues. */
  readonly resumeFrom: Pair<Snapshot> | undefined;
  readonly onRecovery: (recovery: { readonly reason: string }) => void;
}

/** A graph that computes all feature maps of a picture, with the parameters of a session. */
interface View {
  readonly session: Session;
  readonly picture: ReturnType<typeof input>;
  readonly executable: Executable;
}

function convolutionalModel(seed: number): Model {
  const layers = stages.map(({ kind, maps, window }) =>
    kind === "convolution" ? conv2d(maps, window, { activation: "relu" }) : maxPool2d(window),
  );
  const inputShape = [PICTURE_SIDE, PICTURE_SIDE];
  return sequential([...layers, flatten(), dense(CLASSES)], { inputShape, seed });
}

const denseModel = (seed: number): Model =>
  sequential([dense(DENSE_UNITS, { activation: "relu" }), dense(CLASSES)], { inputShape: [PICTURE_SIDE ** 2], seed });

const trainerOf = (
  model: Model,
  dataset: ClassificationDataset,
  { backend, settings: { seed, rate, batch } }: Pick<RunOptions, "backend" | "settings">,
  options: { readonly onRecovery?: RunOptions["onRecovery"]; readonly resumeFrom?: Snapshot | undefined } = {},
): Promise<Trainer> => {
  const { onRecovery, resumeFrom } = options;
  return createTrainer({
    model,
    dataset,
    backend,
    normalization,
    optimizer: optimizers.adam(),
    learningRate: rate,
    batchSize: batch,
    epochs: ENDLESS_EPOCHS,
    seed,
    ...(onRecovery && { onRecovery }),
    ...(resumeFrom && { resumeFrom }),
  });
};

const sizeOf = ({ parameters }: Model): number =>
  parameters.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);

export class Run {
  /** The number of parameters of each network. */
  readonly parameters: Pair<number>;
  readonly trainingExamples: number;
  /** Creates a new trainer of the convolutional network on any device, with initial weights. */
  readonly apart: (backend: Backend) => Promise<Trainer>;
  readonly #model: Model;
  readonly #trainers: Pair<Trainer>;
  readonly #test: ClassificationDataset;
  #view: View | undefined;

  private constructor(
    models: Pair<Model>,
    trainers: Pair<Trainer>,
    { train, test }: Pick<DigitsData, "train" | "test">,
    settings: TrainingSettings,
  ) {
    this.apart = (backend) => trainerOf(models.convolution, train, { backend, settings });
    this.parameters = { convolution: sizeOf(models.convolution), dense: sizeOf(models.dense) };
    this.trainingExamples = train.count;
    this.#model = models.convolution;
    this.#trainers = trainers;
    this.#test = test;
  }

  /** @throws as `createTrainer` does */
  static async create({ backend, data, settings, resumeFrom, onRecovery }: RunOptions): Promise<Run> {
    const train = firstExamples(data.train, TRAINING_EXAMPLES);
    const { seed } = settings;
    const models = { convolution: convolutionalModel(seed), dense: denseModel(seed) };
    const created = (name: keyof typeof models) =>
      trainerOf(models[name], train, { backend, settings }, { onRecovery, resumeFrom: resumeFrom?.[name] });
    const trainers = { convolution: await created("convolution"), dense: await created("dense") };
    return new Run(models, trainers, { train, test: firstExamples(data.test, TEST_EXAMPLES) }, settings);
  }

  get step(): number {
    return this.#trainers.convolution.step;
  }

  get dispatches(): readonly StepDispatches[] {
    const { convolution, dense: other } = this.#trainers;
    return [
      { network: "Convolutional", dispatches: convolution.dispatches },
      { network: "Dense", dispatches: other.dispatches },
    ];
  }

  /** Runs steps of both networks and waits for them. */
  async advance(steps: number): Promise<void> {
    await advance(this.#trainers.convolution, steps);
    await advance(this.#trainers.dense, steps);
  }

  /** What the networks compute for a picture of 784 bytes. */
  async frame(picture: Uint8Array): Promise<Frame> {
    try {
      return await this.#frame(picture);
    } catch (failure) {
      if (!(failure instanceof DeviceLostError)) throw failure;
      // Any call of the trainer replaces the device. The view is then compiled for the new one.
      await this.#trainers.convolution.snapshot();
      return this.#frame(picture);
    }
  }

  async #frame(picture: Uint8Array): Promise<Frame> {
    const { convolution, dense: other } = this.#trainers;
    const { session, executable, picture: leaf } = await this.#viewOn(convolution.session);
    const { step } = this;
    session.write(
      leaf,
      Float32Array.from(picture, (value) => value * normalization.scale),
    );
    const [, outputs, logits, parameters, ...maps] = await Promise.all([
      executable.run(0, 1),
      executable.read("outputs"),
      other.predict(picture),
      Promise.all(this.#model.parameters.map((parameter) => session.read(parameter))),
      ...stages.map((_, stage) => executable.read(mapsName(stage))),
    ]);
    return {
      step,
      picture,
      maps: maps.map((values) => Float32Array.from(values)),
      filters: stages
        .filter(({ kind }) => kind === "convolution")
        .map((_, index) => ({
          weights: Float32Array.from(parameters[2 * index]!),
          biases: Float32Array.from(parameters[2 * index + 1]!),
        })),
      probabilities: {
        convolution: probabilities(Float32Array.from(outputs), CLASSES),
        dense: probabilities(logits, CLASSES),
      },
    };
  }

  /** The predictions for a picture at every shift. */
  async shifts(picture: Uint8Array): Promise<Omit<ShiftsEvent, "kind">> {
    return { predictions: await this.#predictions(atEveryShift(picture)) };
  }

  /** The accuracy on test images, shifted by each distance. */
  async accuracy(): Promise<Omit<AccuracyEvent, "kind">> {
    const { labels, count } = this.#test;
    const accuracies = { convolution: [] as number[], dense: [] as number[] };
    for (const distance of testedShifts) {
      const predictions = await this.#predictions(shiftedImages(this.#test, distance));
      accuracies.convolution.push(shareCorrect(predictions.convolution, labels));
      accuracies.dense.push(shareCorrect(predictions.dense, labels));
    }
    return { count, accuracies };
  }

  async #predictions(pictures: Uint8Array): Promise<Pair<Uint32Array>> {
    const classes = async (trainer: Trainer) => predictedClasses(await trainer.predict(pictures), CLASSES);
    const convolution = await classes(this.#trainers.convolution);
    return { convolution, dense: await classes(this.#trainers.dense) };
  }

  async snapshot(): Promise<Pair<Snapshot>> {
    const convolution = await this.#trainers.convolution.snapshot();
    return { convolution, dense: await this.#trainers.dense.snapshot() };
  }

  dispose(): void {
    this.#trainers.convolution.dispose();
    this.#trainers.dense.dispose();
  }

  /** The view, compiled once for each session: a replaced device has a new one. */
  async #viewOn(session: Session): Promise<View> {
    if (this.#view?.session === session) return this.#view;
    const picture = input("picture", [1, ...this.#model.inputShape]);
    const values = this.#model.applyEach(picture);
    const maps = Object.fromEntries(stages.map((_, stage) => [mapsName(stage), values[stage]!]));
    const executable = await session.compile(defineGraph({ ...maps, outputs: values.at(-1)! }));
    return (this.#view = { session, picture, executable });
  }
}

const mapsName = (stage: number): string => `maps ${stage}`;
