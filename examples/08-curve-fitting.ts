/*
 * A hidden layer builds a curve from the curves of its units: ŷ(x) = Σ vⱼ σ(wⱼ x + bⱼ) + c. Two units suffice for a
 * bump through three points; a larger layer follows a wave. Each activation gives units of another shape.
 */
import {
  createTrainer,
  dense,
  initializers,
  makeRegressionDataset,
  sequential,
  type ActivationName,
  type Backend,
  type RegressionDataset,
} from "../src/index.ts";
import { sine } from "../src/data/points.ts";
import { colors, line, picture, points, range, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

export const shapes = ["softplus", "relu", "sigmoid", "tanh"] as const satisfies readonly ActivationName[];

/** A drug that helps only at a medium dose: the effect is 0 at doses 0 and 1, and 1 between them. */
export const bump = makeRegressionDataset({
  name: "bump",
  features: Float32Array.of(0, 0.5, 1),
  shape: [1],
  targets: Float32Array.of(0, 1, 0),
  outputs: ["effect"],
});

export const wave = sine({ count: 40, noise: 0.05, seed: 4 });

export interface CurveFit {
  readonly loss: number;
  /** The network's output at x. */
  valueAt(x: number): number;
  /** The contribution of unit j, vⱼ σ(wⱼ x + bⱼ). */
  unitAt(unit: number, x: number): number;
}

const functions = {
  softplus: (z: number) => Math.log1p(Math.exp(z)),
  relu: (z: number) => Math.max(0, z),
  sigmoid: (z: number) => 1 / (1 + Math.exp(-z)),
  tanh: Math.tanh,
};

/** Trains 1-units-1 by Adam on all examples. */
export async function fitCurve(
  backend: Backend,
  dataset: RegressionDataset,
  { activation, units, steps }: { activation: (typeof shapes)[number]; units: number; steps: number },
): Promise<CurveFit> {
  const layers = [
    dense(units, { activation, weights: initializers.normal(3), biases: initializers.normal(1) }),
    dense(1),
  ];
  const model = sequential(layers, { inputShape: [1], seed: 7 });
  const trainer = await createTrainer({
    model,
    dataset,
    backend,
    learningRate: 0.05,
    batchSize: "full",
    epochs: steps,
  });
  const events = trainer.fit();
  while (!(await events.next()).done);
  const { loss } = await trainer.evaluate(dataset);
  const [w, b, v, c] = Object.values((await trainer.snapshot()).parameters).map(
    ({ values }) => values,
  ) as Float32Array[];
  trainer.dispose();
  const unitAt = (unit: number, x: number) => v![unit]! * functions[activation](w![unit]! * x + b![unit]!);
  const valueAt = (x: number) => range(0, units - 1, units).reduce((sum, unit) => sum + unitAt(unit, x), c![0]!);
  return { loss, valueAt, unitAt };
}

/** The fits that are shown: two units on the bump, eight on the wave. */
export const fits = [
  { dataset: bump, units: 2, steps: 600 },
  { dataset: wave, units: 8, steps: 600 },
] as const;

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const panels = [];
  for (const { dataset, units, steps } of fits) {
    const [from, to] = dataset === bump ? [0, 1] : [-1, 1];
    for (const activation of shapes) {
      const { loss, valueAt, unitAt } = await fitCurve(backend, dataset, { activation, units, steps });
      print(`${dataset.name.padEnd(5)} ${units} ${activation.padEnd(8)} units: mean squared error ${loss.toFixed(4)}`);
      const places = range(from, to, 41);
      const curve = (at: (x: number) => number) => places.map((x): Point => [x, at(x)]);
      panels.push({
        title: `${units} ${activation} units`,
        legend: false,
        y: { min: -2, max: 2 },
        series: [
          ...range(0, units - 1, units).map((unit) =>
            line(
              "unit",
              curve((x) => unitAt(unit, x)),
              { color: colors.sky, width: 1 },
            ),
          ),
          line("output", curve(valueAt), { color: colors.orange, width: 2.5 }),
          points(
            "data",
            [...dataset.targets].map((y, row): Point => [dataset.features[row]!, y]),
            { color: colors.black, size: 4 },
          ),
        ],
      });
    }
  }
  await draw(picture("08", panels, 4, { width: 240, height: 220, left: 40, right: 14, top: 34, bottom: 30 }));
}
