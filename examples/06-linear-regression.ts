/*
 * Linear regression, y = x · w + b with noise, with one and with several inputs. Gradient descent is compared with the least
 * squares solution of the normal equations. It reaches the same weights from any starting point.
 */
import {
  createTrainer,
  dense,
  initializers,
  makeRegressionDataset,
  optimizers,
  Random,
  sequential,
  type Backend,
  type Initializer,
  type RegressionDataset,
} from "../src/index.ts";
import { line as linePoints } from "../src/data/points.ts";
import { colors, line, picture, points, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

export const oneInput = linePoints({ count: 60, noise: 0.15, seed: 2 });

/** y = 0.5 x₁ − 1.2 x₂ + 0.8 x₃ + 0.3 with noise. */
export const severalInputs = makePlane([0.5, -1.2, 0.8], 0.3);

function makePlane(weights: readonly number[], bias: number): RegressionDataset {
  const random = new Random(6);
  const count = 80;
  const features = Float32Array.from({ length: count * weights.length }, () => random.uniform(-1, 1));
  const targets = Float32Array.from({ length: count }, (_, row) => {
    return weights.reduce(
      (sum, weight, column) => sum + weight * features[row * weights.length + column]!,
      bias + random.normal(0, 0.1),
    );
  });
  return makeRegressionDataset({ name: "plane", features, shape: [weights.length], targets, outputs: ["y"] });
}

/** The weights, followed by the bias, that solve the normal equations AᵀA β = Aᵀy, by Gaussian elimination in float64. */
export function leastSquares({ features, targets, shape: [width = 1], count }: RegressionDataset): number[] {
  const rows = Array.from({ length: count }, (_, row) => [...features.subarray(row * width, (row + 1) * width), 1]);
  const product = (a: number, b: (row: number[], index: number) => number) =>
    rows.reduce((sum, row, index) => sum + row[a]! * b(row, index), 0);
  const columns = [...Array(width + 1).keys()];
  const system = columns.map((a) => [
    ...columns.map((b) => product(a, (row) => row[b]!)),
    product(a, (_, index) => targets[index]!),
  ]);
  // AᵀA is positive definite, so no pivot is 0.
  for (const pivot of columns) {
    const top = system[pivot]!.map((value) => value / system[pivot]![pivot]!);
    system.forEach(
      (row, index) =>
        (system[index] = index === pivot ? top : row.map((value, column) => value - row[pivot]! * top[column]!)),
    );
  }
  return system.map((row) => row.at(-1)!);
}

export interface Fit {
  /** The weights, followed by the bias. */
  readonly coefficients: readonly number[];
  readonly losses: readonly number[];
}

/** The weights and the bias by gradient descent with momentum on all examples. */
export async function fit(
  backend: Backend,
  dataset: RegressionDataset,
  weights: Initializer,
  steps = 200,
): Promise<Fit> {
  const model = sequential([dense(1, { weights })], { inputShape: dataset.shape });
  const options = { optimizer: optimizers.momentum(), learningRate: 0.05, batchSize: "full", epochs: steps } as const;
  const trainer = await createTrainer({ model, dataset, backend, ...options });
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ every: 1 })) losses.push(loss);
  const { parameters } = await trainer.snapshot();
  trainer.dispose();
  return { coefficients: Object.values(parameters).flatMap(({ values }) => [...values]), losses };
}

/** Starting points of a single weight. */
export const starts: Readonly<Record<string, Initializer>> = {
  zeros: initializers.zeros,
  normal: initializers.normal(1),
  given: initializers.given([-2]),
};

const text = (values: readonly number[]) => values.map((value) => value.toFixed(4)).join(", ");

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const solution = leastSquares(oneInput);
  print(`one input, closed form:        ${text(solution)}`);
  const fits: [string, Fit][] = [];
  for (const [start, weights] of Object.entries(starts)) {
    fits.push([start, await fit(backend, oneInput, weights)]);
    print(`one input, from ${start.padEnd(7)}:       ${text(fits.at(-1)![1].coefficients)}`);
  }
  print(`three inputs, closed form:     ${text(leastSquares(severalInputs))}`);
  print(
    `three inputs, gradient descent: ${text((await fit(backend, severalInputs, initializers.zeros)).coefficients)}`,
  );
  const palette = [colors.blue, colors.green, colors.purple];
  await draw(
    picture("06", [
      {
        title: `y = ${solution[0]!.toFixed(2)} x + ${solution[1]!.toFixed(2)}`,
        x: { name: "x", min: -1, max: 1 },
        y: { name: "y" },
        series: [
          points(
            "data",
            [...oneInput.targets].map((y, row): Point => [oneInput.features[row]!, y]),
            { color: colors.gray, size: 6 },
          ),
          line(
            "least squares",
            [-1, 1].map((x): Point => [x, solution[0]! * x + solution[1]!]),
            { color: colors.black, width: 5, opacity: 0.35 },
          ),
          line(
            "gradient descent",
            [-1, 1].map((x): Point => [x, fits[0]![1].coefficients[0]! * x + fits[0]![1].coefficients[1]!]),
            { color: colors.orange },
          ),
        ],
      },
      {
        title: "Loss from three starting points",
        x: { name: "step", max: 60 },
        y: { name: "mean squared error", log: true },
        series: fits.map(([start, { losses }], index) =>
          line(
            `from ${start}`,
            losses.slice(0, 61).map((loss, step): Point => [step, loss]),
            { color: palette[index]! },
          ),
        ),
      },
    ]),
  );
}
