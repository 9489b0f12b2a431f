/*
 * A network in training, and the values that the page draws. Runs in the worker.
 */
import {
  createTrainer,
  defineGraph,
  DeviceLostError,
  input,
  transpose,
  type Backend,
  type Executable,
  type Session,
  type Snapshot,
  type Tensor,
  type Trainer,
  type Dataset,
} from "../../../index.ts";
import { advance, ENDLESS_EPOCHS } from "../../shared/advance.ts";
import { CURVE_POINTS, PLANE_SIDE, type Frame, type ParameterPlace, type Problem } from "../contract.ts";
import { featureRows, type Place } from "../features.ts";
import { networkProblem, type NetworkProblem } from "./problem.ts";
import { EXTENT, type PlaygroundConfig } from "../settings.ts";

/** A frame without what the service adds. */
export type RunFrame = Omit<Frame, "epoch">;

/** A training run, as the service's loop uses it. */
export interface Run {
  readonly problem: Problem;
  /** The number of finished steps. */
  readonly step: number;
  /** Runs steps and waits for them. */
  advance(steps: number): Promise<void>;
  /** The share of the training points in a step. */
  readonly epochsPerStep: number;
  frame(): Promise<RunFrame>;
  /** Sets a parameter of a network. Does nothing if there is none at this place. */
  setParameter(place: ParameterPlace, value: number): Promise<void>;
  /** The state from which a run with other settings continues. */
  snapshot(): Promise<Snapshot>;
  /** Creates a new trainer of the model on any device, with initial weights. */
  apart(backend: Backend): Promise<Trainer>;
  readonly dispatches: Trainer["dispatches"];
  dispose(): void;
}

export interface RunOptions<Config extends PlaygroundConfig = PlaygroundConfig> {
  readonly backend: Backend;
  readonly config: Config;
  readonly resumeFrom?: Snapshot | undefined;
  readonly onRecovery: (recovery: { readonly reason: string }) => void;
}

/** What a trainer needs; without `onRecovery`, it tells nobody of a lost device. */
export type TrainerOptions<Config extends PlaygroundConfig> = Pick<RunOptions<Config>, "backend" | "config"> &
  Partial<RunOptions<Config>>;

type NetworkConfig = Exclude<PlaygroundConfig, { mode: "surface" }>;

/** @returns undefined if there are no training points */
export async function createNetworkRun(options: RunOptions<NetworkConfig>): Promise<Run | undefined> {
  const { config } = options;
  const problem = networkProblem(config);
  const { train } = problem;
  if (!train) return undefined;
  return new NetworkRun(config, problem, train, await trainerOf(problem, train, options));
}

function trainerOf(
  { model, loss, optimizer }: NetworkProblem,
  train: Dataset,
  { backend, config, resumeFrom, onRecovery }: TrainerOptions<NetworkConfig>,
): Promise<Trainer> {
  return createTrainer({
    model,
    dataset: train,
    backend,
    loss,
    optimizer,
    learningRate: config.learningRate,
    batchSize: config.batch < train.count ? config.batch : "full",
    epochs: ENDLESS_EPOCHS,
    seed: config.seed,
    // The page draws where a run that diverges goes.
    onNonFinite: "ignore",
    ...(onRecovery && { onRecovery }),
    ...(resumeFrom && { resumeFrom }),
  });
}

/** The places for which the page draws the outputs: the plane's points in rows from the bottom, or those of the curve. */
function viewPlaces(isCurve: boolean): Place[] {
  const along = (position: number, count: number) => EXTENT * ((2 * position) / (count - 1) - 1);
  if (isCurve) return Array.from({ length: CURVE_POINTS }, (_, index) => [along(index, CURVE_POINTS), 0]);
  return Array.from({ length: PLANE_SIDE ** 2 }, (_, index) => [
    along(index % PLANE_SIDE, PLANE_SIDE),
    along(Math.floor(index / PLANE_SIDE), PLANE_SIDE),
  ]);
}

/** A graph that computes the outputs and hidden values at the points of the view, with the parameters of a session. */
interface View {
  readonly session: Session;
  readonly executable: Executable;
}

class NetworkRun implements Run {
  readonly problem: Problem;
  readonly #config: NetworkConfig;
  readonly #network: NetworkProblem;
  readonly #train: Dataset;
  readonly #trainer: Trainer;
  #view: View | undefined;

  constructor(config: NetworkConfig, network: NetworkProblem, train: Dataset, trainer: Trainer) {
    this.#config = config;
    this.#network = network;
    this.#train = train;
    this.#trainer = trainer;
    this.problem = network.shownPoints;
  }

  get step(): number {
    return this.#trainer.step;
  }

  get epochsPerStep(): number {
    return 1 / this.#trainer.stepsPerEpoch;
  }

  async advance(steps: number): Promise<void> {
    await advance(this.#trainer, steps);
  }

  async frame(): Promise<RunFrame> {
    try {
      return await this.#frame();
    } catch (failure) {
      if (!(failure instanceof DeviceLostError)) throw failure;
      // Any call of the trainer replaces the device. The view is then compiled for the new one.
      await this.#trainer.snapshot();
      return this.#frame();
    }
  }

  async setParameter({ layer, unit, input: from }: ParameterPlace, value: number): Promise<void> {
    const { session } = this.#trainer;
    const [matrix, bias] = this.#network.model.parameters.slice(2 * layer, 2 * layer + 2);
    const parameter = from === undefined ? bias : matrix;
    if (!parameter || !bias) return;
    const values = Float32Array.from(await session.read(parameter));
    const row = (from ?? 0) * bias.size;
    const isPair = bias === this.#network.model.parameters.at(-1) && bias.size === 2;
    if (unit >= (isPair ? 1 : bias.size) || row >= values.length) return;
    if (isPair) {
      const change = value - (values[row + 1]! - values[row]!);
      values[row]! -= change / 2;
      values[row + 1]! += change / 2;
    } else values[row + unit] = value;
    session.write(parameter, values);
  }

  snapshot(): Promise<Snapshot> {
    return this.#trainer.snapshot();
  }

  apart(backend: Backend): Promise<Trainer> {
    return trainerOf(this.#network, this.#train, { backend, config: this.#config });
  }

  get dispatches(): Trainer["dispatches"] {
    return this.#trainer.dispatches;
  }

  dispose(): void {
    this.#trainer.dispose();
  }

  async #frame(): Promise<RunFrame> {
    const { test } = this.#network;
    const trainer = this.#trainer;
    const { executable, session } = await this.#viewOn(trainer.session);
    const { step } = trainer;
    const hidden = this.#hiddenLayers();
    const isNeuron = this.#config.mode === "neuron";
    const all = this.#network.model.parameters;
    const [train, tested, , outputs, parameters, ...values] = await Promise.all([
      trainer.evaluate(this.#train),
      test && trainer.evaluate(test),
      executable.run(0, 1),
      executable.read("outputs"),
      Promise.all(all.map(async (parameter) => Float32Array.from(await session.read(parameter)))),
      ...hidden.map(({ name }) => executable.read(name)),
    ]);
    return {
      mode: this.#config.mode,
      step,
      loss: train.loss,
      accuracy: train.accuracy,
      testLoss: tested?.loss ?? NaN,
      testAccuracy: tested?.accuracy ?? NaN,
      outputs: Float32Array.from(outputs),
      hidden: hidden.map(({ units }, layer) => ({ units, values: Float32Array.from(values[layer]!) })),
      weights: isNeuron ? [] : parameters.filter((_, index) => all[index]!.shape.length === 2),
      biases: isNeuron ? [] : parameters.filter((_, index) => all[index]!.shape.length === 1),
      parameters: Float32Array.from(isNeuron ? parameters.flatMap((parameter) => [...parameter]) : []),
      path: new Float32Array(),
    };
  }

  /** The hidden layers, with the names of their outputs in the graph of the view. */
  #hiddenLayers(): { name: string; units: number }[] {
    const { shapes } = this.#network.model;
    return shapes.slice(1, -1).map(([units], layer) => ({ name: `hidden ${layer}`, units: units! }));
  }

  /** The view, compiled once for each session: a replaced device has a new one. */
  async #viewOn(session: Session): Promise<View> {
    if (this.#view?.session === session) return this.#view;
    const { model, shown, features } = this.#network;
    const places = viewPlaces(this.#config.mode === "regress");
    const values = featureRows(features, places);
    const x = input("view", [places.length, features.length]);
    const layers = model.applyEach(x);
    const outputs: Record<string, Tensor> = { outputs: shown(layers.at(-1)!) };
    this.#hiddenLayers().forEach(({ name }, layer) => (outputs[name] = transpose(layers[layer]!)));
    const executable = await session.compile(defineGraph(outputs));
    session.write(x, values);
    return (this.#view = { session, executable });
  }
}
