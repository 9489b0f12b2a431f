/*
 * A generative adversarial network (Goodfellow et al. 2014) on a ring of eight normal distributions. The generator G makes
 * points from random numbers, and the discriminator D outputs a logit: is a point real? With −ln σ(z) = softplus(−z),
 *
 *   loss of D = softplus(−D(real)) + softplus(D(generated)) + ½ γ |∂D/∂real|²      loss of G = softplus(−D(generated))
 *
 * The squared slope of D at the real points lets the training converge (R₁ in Mescheder, Geiger and Nowozin 2018). Its
 * gradient contains second derivatives, which graphs have because gradients are graph ops themselves. Both networks are
 * updated in the same step, each by an optimizer of its own. Real points and random numbers are computed in the step too.
 */
import {
  add,
  concat,
  constant,
  cos,
  defineGraph,
  dense,
  floor,
  gradients,
  mean,
  multiply,
  negate,
  optimizers,
  randomKey,
  randomNormal,
  randomUniform,
  sequential,
  sin,
  softplus,
  square,
  stepScalar,
  sum,
  type Backend,
  type Model,
  type Tensor,
} from "../src/index.ts";
import { colors, line, picture, points, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";
import { valuesOf } from "./lib/values.ts";

const MODES = 8;
const DEVIATION = 0.05;
const BATCH = 64;
const PENALTY = 0.05;
const LEARNING_RATE = 0.01;

/** Points around the centers of the modes, which lie on the unit circle. */
function ring(count: number, keys: { mode: Tensor; noise: Tensor }): Tensor {
  const mode = floor(multiply(randomUniform([count, 1], keys.mode), MODES));
  const angle = multiply(mode, (2 * Math.PI) / MODES);
  return add(concat([cos(angle), sin(angle)], 1), multiply(randomNormal([count, 2], keys.noise), DEVIATION));
}

/** The two networks: 2-32-32-2 and 2-32-32-1. */
export function makeModels(seed: number): { generator: Model; discriminator: Model } {
  const layers = (outputs: number) => {
    const hidden = () => dense(32, { activation: "leakyRelu" });
    return [hidden(), hidden(), dense(outputs)];
  };
  return {
    generator: sequential(layers(2), { inputShape: [2], seed: randomKey(seed, 1), name: "generator" }),
    discriminator: sequential(layers(1), { inputShape: [2], seed: randomKey(seed, 2), name: "discriminator" }),
  };
}

/** One step of both networks. The keys of the random numbers depend on the step. */
function makeStep({ generator, discriminator }: ReturnType<typeof makeModels>, seed: number, steps: number) {
  const key = (stream: number) => stepScalar(`key ${stream}`, (step) => randomKey(seed, stream, step), "uint32");
  const real = ring(BATCH, { mode: key(3), noise: key(4) });
  const generated = generator.apply(randomNormal([BATCH, 2], key(5)));
  const [onReal, onGenerated] = [discriminator.apply(real), discriminator.apply(generated)];
  const [slope] = gradients(sum(onReal), [real]);
  const penalty = multiply(sum(square(slope)), (0.5 * PENALTY) / BATCH);
  const losses = {
    discriminator: add(mean(softplus(negate(onReal))), mean(softplus(onGenerated))),
    generator: mean(softplus(negate(onGenerated))),
  };
  const learningRate = stepScalar("learningRate", (step) => LEARNING_RATE * (1 - step / steps));
  const update = ({ parameters }: Model, loss: Tensor) =>
    optimizers.adam({ beta1: 0 }).update(parameters, gradients(loss, parameters), { learningRate });
  return defineGraph(losses, [
    ...update(discriminator, add(losses.discriminator, penalty)),
    ...update(generator, losses.generator),
  ]);
}

/** The losses until a step, and points that the generator makes after it, always from the same random numbers. */
export interface Moment {
  readonly step: number;
  readonly losses: Readonly<Record<"discriminator" | "generator", readonly number[]>>;
  readonly points: readonly Point[];
}

/** Trains, and pauses before the first step and after each `every` steps. */
export async function trainGan(
  backend: Backend,
  { seed, steps, every, samples = 400 }: { seed: number; steps: number; every: number; samples?: number },
): Promise<Moment[]> {
  const models = makeModels(seed);
  const sample = defineGraph({ points: models.generator.apply(randomNormal([samples, 2], constant(1, [], "uint32"))) });
  const session = backend.createSession();
  const [training, sampling] = [await session.compile(makeStep(models, seed, steps)), await session.compile(sample)];
  const moments: Moment[] = [];
  for (let step = 0; step <= steps; step += every) {
    const count = step === 0 ? 0 : every;
    const { discriminator = [], generator = [] } = await training.run(step - count, count);
    await sampling.run(0, 1);
    const losses = { discriminator: [...discriminator], generator: [...generator] };
    moments.push({ step, losses, points: pairs(await sampling.read("points")) });
  }
  session.dispose();
  return moments;
}

/** The same number of real points, from a key of their own. */
export async function realPoints(backend: Backend, count: number): Promise<Point[]> {
  const [mode, noise] = [constant(2, [], "uint32"), constant(3, [], "uint32")];
  const { real } = await valuesOf(backend, { real: ring(count, { mode, noise }) });
  return pairs(real);
}

const pairs = (values: ArrayLike<number>) =>
  Array.from({ length: values.length / 2 }, (_, row): Point => [values[2 * row]!, values[2 * row + 1]!]);

/**
 * The share of points within four standard deviations of a center, and the number of modes with at least a quarter of the
 * points that it should have.
 */
export function quality(found: readonly Point[]): { near: number; modes: number } {
  const counts = Array.from({ length: MODES }, (_, mode) => {
    const angle = (2 * Math.PI * mode) / MODES;
    return found.filter(([x, y]) => Math.hypot(x - Math.cos(angle), y - Math.sin(angle)) < 4 * DEVIATION).length;
  });
  return {
    near: counts.reduce((all, count) => all + count, 0) / found.length,
    modes: counts.filter((count) => count >= found.length / MODES / 4).length,
  };
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const moments = await trainGan(backend, { seed: 2, steps: 600, every: 150 });
  for (const { step, points: found } of moments) {
    const { near, modes } = quality(found);
    print(
      `step ${String(step).padStart(3)}: ${(100 * near).toFixed(0)} % of the points near a center, ${modes} of 8 modes`,
    );
  }
  const real = await realPoints(backend, 48);
  const shown = [1, 2, moments.length - 1].map((index) => moments[index]!);
  const meanLosses = (name: "discriminator" | "generator") => {
    const losses = moments.flatMap((moment) => moment.losses[name]);
    return Array.from({ length: losses.length / 10 }, (_, part): Point => {
      const some = losses.slice(10 * part, 10 * (part + 1));
      return [10 * (part + 1), some.reduce((all, loss) => all + loss, 0) / some.length];
    });
  };
  await draw(
    picture("18", [
      ...shown.map(({ step, points: found }) => ({
        title: `Points after ${step} steps`,
        x: { min: -1.5, max: 1.5 },
        y: { min: -1.5, max: 1.5 },
        series: [
          points("real", real, { color: colors.sky, size: 5 }),
          points("generated", found.slice(0, 100), { color: colors.orange, size: 5 }),
        ],
      })),
      {
        title: "Losses, means of ten steps",
        x: { name: "step", max: 600 },
        y: { name: "loss" },
        series: [
          line("discriminator", meanLosses("discriminator"), { color: colors.blue }),
          line("generator", meanLosses("generator"), { color: colors.orange }),
        ],
      },
    ]),
  );
}
