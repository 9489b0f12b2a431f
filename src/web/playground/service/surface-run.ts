/*
 * Gradient descent on the loss of a model with two parameters. Runs in the worker.
 */
import {
  broadcastTo,
  createTrainer,
  defineGraph,
  dense,
  initializers,
  input,
  losses,
  makeClassificationDataset,
  mean,
  points,
  sequential,
  stepScalar,
  type Backend,
  type LossName,
  type Model,
  type RegressionDataset,
  type Snapshot,
  type Tensor,
  type Trainer,
  type Dataset,
} from "../../../index.ts";
import { classShares } from "../../../train/outputs.ts";
import { advance, ENDLESS_EPOCHS } from "../../shared/advance.ts";
import { CURVE_POINTS, SURFACE_SIDE, type LossSurface, type Problem } from "../contract.ts";
import type { Run, RunFrame, RunOptions, TrainerOptions } from "./network-run.ts";
import { rowsOf } from "../points.ts";
import { optimizerOf } from "./problem.ts";
import { EXTENT, type PlaygroundConfig, type SurfaceSettings } from "../settings.ts";

type SurfaceConfig = Extract<PlaygroundConfig, { mode: "surface" }>;

/** The number of points, few enough to see each one. */
const POINTS = 40;

interface Kind {
  readonly loss: LossName;
  readonly extent: number;
  readonly names: readonly [string, string];
  data(options: { noise: number; seed: number; count: number }): Dataset;
  /** Creates the model with initial values of its two parameters. */
  model(first: number, second: number): Model;
}

const given = (value: number) => initializers.given([value]);

const neuron = (activation: "identity" | "sigmoid") => (slope: number, bias: number) =>
  sequential([dense(1, { activation, weights: given(slope), biases: given(bias) })], { inputShape: [1] });

/** Class 1 where a noisy line is above 0. The classes overlap, so the minimum of the loss is at finite parameters. */
function overlapping(options: { noise: number; seed: number; count: number }): Dataset {
  const { features, targets } = points.line({ ...options, noise: 2 * options.noise, slope: 1, intercept: -0.1 });
  const labels = Uint32Array.from(targets, (target) => (target > 0 ? 1 : 0));
  return makeClassificationDataset({ name: "overlapping", features, shape: [1], labels, classes: ["0", "1"] });
}

const kinds: Readonly<Record<SurfaceSettings["model"], Kind>> = {
  line: {
    loss: "meanSquaredError",
    extent: 2,
    names: ["slope a", "intercept b"],
    data: points.line,
    model: neuron("identity"),
  },
  logistic: {
    loss: "sigmoidBinaryCrossEntropy",
    extent: 10,
    names: ["weight w", "bias b"],
    data: overlapping,
    model: neuron("identity"),
  },
  squared: {
    loss: "meanSquaredError",
    extent: 10,
    names: ["weight w", "bias b"],
    data: overlapping,
    model: neuron("sigmoid"),
  },
  saddle: {
    loss: "meanSquaredError",
    extent: 2,
    names: ["inner weight a", "outer weight b"],
    data: (options): RegressionDataset => points.line({ ...options, intercept: 0 }),
    model: (inner, outer) =>
      sequential(
        [
          dense(1, { activation: "tanh", bias: false, weights: given(inner) }),
          dense(1, { bias: false, weights: given(outer) }),
        ],
        { inputShape: [1] },
      ),
  },
};

/** The mean loss over a data set, as a graph. */
function lossOn(data: Dataset, loss: LossName, outputs: Tensor): { loss: Tensor; targets: Tensor } {
  const known = losses[loss];
  if ("targets" in data && "perTarget" in known) {
    const targets = input("targets", [data.count, 1]);
    return { loss: mean(known.perTarget(outputs, targets)), targets };
  }
  const targets = input("labels", [data.count], "uint32");
  return { loss: mean(known.perExample(outputs, targets)), targets };
}

/**
 * Computes the loss at every point of the picture. A graph computes the loss for the current parameters and then writes the
 * next ones, which depend on the number of the run. All points are therefore computed in one submit.
 */
async function computeSurface(
  backend: Backend,
  { model, data, loss, extent, names }: Kind,
  options: Parameters<Kind["data"]>[0],
): Promise<LossSurface> {
  const dataset = data(options);
  const along = (position: number) => extent * ((2 * position) / (SURFACE_SIDE - 1) - 1);
  const coordinates = [
    (run: number) => along(run % SURFACE_SIDE),
    (run: number) => along(Math.floor(run / SURFACE_SIDE)),
  ] as const;
  const swept = model(coordinates[0](0), coordinates[1](0));
  const x = input("x", [dataset.count, 1]);
  const { loss: value, targets } = lossOn(dataset, loss, swept.apply(x));
  const updates = swept.parameters.map((target, index) => {
    const next = stepScalar(`next ${index}`, (run) => coordinates[index]!(run + 1));
    return { target, value: broadcastTo(next, target.shape) };
  });
  const session = backend.createSession();
  try {
    const executable = await session.compile(defineGraph({ loss: value }, updates));
    session.write(x, dataset.features);
    session.write(targets, "targets" in dataset ? dataset.targets : dataset.labels);
    const traces = await executable.run(0, SURFACE_SIDE ** 2);
    return { losses: Float32Array.from(traces["loss"]!), extent, names };
  } finally {
    session.dispose();
  }
}

/** Caches the last loss surface, since most changes of the settings do not affect it. */
export class SurfaceCache {
  #key = "";
  #surface: Promise<LossSurface> | undefined;

  /** Returns a copy, which may be transferred. */
  async surfaceOf(backend: Backend, { model, noise, seed }: SurfaceSettings): Promise<LossSurface> {
    const key = JSON.stringify([model, noise, seed]);
    if (key !== this.#key || !this.#surface) {
      this.#key = key;
      this.#surface = computeSurface(backend, kinds[model], { noise, seed, count: POINTS });
      this.#surface.catch(() => (this.#surface = undefined));
    }
    const surface = await this.#surface;
    return { ...surface, losses: surface.losses.slice() };
  }
}

export async function createSurfaceRun(options: RunOptions<SurfaceConfig>, cache: SurfaceCache): Promise<Run> {
  const { backend, config } = options;
  const surface = await cache.surfaceOf(backend, config);
  const dataset = datasetOf(config);
  const problem = { points: rowsOf1D(dataset), test: new Float32Array(), surface };
  const run = new SurfaceRun(await trainerOf(dataset, options), config, dataset, problem);
  await run.recordParameters();
  return run;
}

const datasetOf = ({ model, noise, seed }: SurfaceConfig): Dataset => kinds[model].data({ noise, seed, count: POINTS });

function trainerOf(
  dataset: Dataset,
  { backend, config, resumeFrom, onRecovery }: TrainerOptions<SurfaceConfig>,
): Promise<Trainer> {
  const { model, loss, extent } = kinds[config.model];
  const [first, second] = config.start;
  return createTrainer({
    model: model(extent * first, extent * second),
    dataset,
    backend,
    loss,
    optimizer: optimizerOf(config),
    learningRate: config.learningRate,
    batchSize: "full",
    epochs: ENDLESS_EPOCHS,
    // The page draws where a descent that diverges goes.
    onNonFinite: "ignore",
    ...(onRecovery && { onRecovery }),
    ...(resumeFrom && { resumeFrom }),
  });
}

/** Rows of x, y, class. For a classification data set, y is the class. */
function rowsOf1D(data: Dataset): Float32Array {
  if ("targets" in data) return rowsOf(data);
  return Float32Array.from([...data.labels].flatMap((label, index) => [data.features[index]!, label, label]));
}

class SurfaceRun implements Run {
  readonly problem: Problem;
  readonly epochsPerStep = 1;
  readonly #trainer: Trainer;
  readonly #config: SurfaceConfig;
  readonly #dataset: Dataset;
  #path: number[] = [];

  constructor(trainer: Trainer, config: SurfaceConfig, dataset: Dataset, problem: Problem) {
    this.#trainer = trainer;
    this.#config = config;
    this.#dataset = dataset;
    this.problem = problem;
  }

  get step(): number {
    return this.#trainer.step;
  }

  /** Runs steps one by one, since the path has the parameters after each step. */
  async advance(steps: number): Promise<void> {
    for (let made = 0; made < steps; made++) {
      await advance(this.#trainer, 1);
      await this.recordParameters();
    }
  }

  /** Adds the current parameters to the path. */
  async recordParameters(): Promise<void> {
    this.#path.push(...(await this.#parameters()));
  }

  async frame(): Promise<RunFrame> {
    const trainer = this.#trainer;
    const curve = Float32Array.from(
      { length: CURVE_POINTS },
      (_, index) => EXTENT * ((2 * index) / (CURVE_POINTS - 1) - 1),
    );
    const [{ loss, accuracy }, outputs] = await Promise.all([trainer.evaluate(this.#dataset), trainer.predict(curve)]);
    const path = Float32Array.from(this.#path);
    this.#path = [];
    const parameters = path.length > 0 ? path.slice(-2) : Float32Array.from(await this.#parameters());
    const tested = { testLoss: NaN, testAccuracy: NaN };
    return {
      mode: "surface",
      step: trainer.step,
      loss,
      accuracy,
      ...tested,
      outputs: classShares(outputs, 1, kinds[this.#config.model].loss) ?? outputs,
      hidden: [],
      weights: [],
      biases: [],
      parameters,
      path,
    };
  }

  /** Descent has no network. */
  async setParameter(): Promise<void> {}

  snapshot(): Promise<Snapshot> {
    return this.#trainer.snapshot();
  }

  apart(backend: Backend): Promise<Trainer> {
    return trainerOf(this.#dataset, { backend, config: this.#config });
  }

  get dispatches(): Trainer["dispatches"] {
    return this.#trainer.dispatches;
  }

  dispose(): void {
    this.#trainer.dispose();
  }

  async #parameters(): Promise<number[]> {
    const { parameters } = await this.#trainer.snapshot();
    return Object.values(parameters).flatMap(({ values }) => [...values]);
  }
}
