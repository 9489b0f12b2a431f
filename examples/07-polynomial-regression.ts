/*
 * Polynomials fitted to a few noisy points of a cubic: of degree 3, of too high a degree, and of that degree with weight
 * decay. The training loss falls with the degree; the validation loss shows the overfitting.
 */
import {
  add,
  columnStandardization,
  constant,
  matmul,
  meanSquaredError,
  minimize,
  optimizers,
  parameter,
  square,
  sum,
  type Backend,
  type Normalization,
  type Tensor,
} from "../src/index.ts";
import { polynomial } from "../src/data/points.ts";
import { colors, line, picture, points, range, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

export const training = polynomial({ count: 14, noise: 0.15, seed: 149 });
export const validation = polynomial({ count: 100, noise: 0.15, seed: 1149 });

/** Rows of x, x², …, xᵈ, each column with mean 0 and standard deviation 1 over the training points. */
function powers(xs: ArrayLike<number>, degree: number, { scale, offset }: Normalization): Tensor {
  const [scales, offsets] = [scale as readonly number[], offset as readonly number[]];
  const rows = Array.from(xs, (x) => scales.map((factor, column) => x ** (column + 1) * factor + offsets[column]!));
  return constant(rows.flat(), [rows.length, degree]);
}

export interface PolynomialFit {
  /** Before the first step and after each step. */
  readonly trainingLosses: readonly number[];
  readonly validationLosses: readonly number[];
  /** The Euclidean norm of the weights at the end. */
  readonly weightNorm: number;
  valueAt(x: number): number;
}

/**
 * Fits a polynomial by AdamW on all training points.
 * @param weightDecay 0 for none
 */
export async function fitPolynomial(
  backend: Backend,
  degree: number,
  weightDecay: number,
  steps = 2000,
): Promise<PolynomialFit> {
  const columns = Float32Array.from(
    Array.from(training.features, (x) => range(1, degree, degree).map((power) => x ** power)).flat(),
  );
  const normalization = columnStandardization(columns, degree);
  const w = parameter("w", [degree, 1]);
  const b = parameter("b", [1]);
  const loss = ({ features, targets, count }: typeof training) =>
    meanSquaredError(add(matmul(powers(features, degree, normalization), w), b), constant([...targets], [count, 1]));
  const session = backend.createSession();
  const { record, losses } = await minimize(loss(training), {
    session,
    parameters: [w, b],
    optimizer: optimizers.adamW({ weightDecay }),
    learningRate: 0.05,
    maxSteps: steps,
    record: { validation: loss(validation), squares: sum(square(w)) },
  });
  const [weights, [bias]] = await Promise.all([session.read(w), session.read(b)]);
  session.dispose();
  const [scales, offsets] = [normalization.scale as number[], normalization.offset as number[]];
  return {
    trainingLosses: losses,
    validationLosses: record["validation"]!,
    weightNorm: Math.sqrt(record["squares"]!.at(-1)!),
    valueAt: (x) =>
      scales.reduce(
        (value, factor, column) => value + weights[column]! * (x ** (column + 1) * factor + offsets[column]!),
        bias!,
      ),
  };
}

/** The fits that are compared. */
export const fits = {
  "degree 3": { degree: 3, weightDecay: 0, color: colors.blue },
  "degree 12": { degree: 12, weightDecay: 0, color: colors.orange },
  "degree 12, weight decay": { degree: 12, weightDecay: 0.3, color: colors.green },
} as const;

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const found = [];
  for (const [name, { degree, weightDecay, color }] of Object.entries(fits)) {
    const fit = await fitPolynomial(backend, degree, weightDecay);
    const [before, after] = [fit.trainingLosses.at(-1)!, fit.validationLosses.at(-1)!];
    print(
      `${name.padEnd(24)} training loss ${before.toFixed(4)}, validation loss ${after.toFixed(4)}, |w| ${fit.weightNorm.toFixed(2)}`,
    );
    found.push({ name, color, ...fit });
  }
  const everyTwentieth = (losses: readonly number[]) =>
    losses.flatMap((loss, step): Point[] => (step % 20 === 0 ? [[step, loss]] : []));
  await draw(
    picture("07", [
      {
        title: "14 noisy points of a cubic",
        x: { name: "x", min: -1, max: 1 },
        y: { name: "y", min: -1.5, max: 1.5 },
        series: [
          ...found.map(({ name, color, valueAt }) =>
            line(
              name,
              range(-1, 1, 121).map((x): Point => [x, valueAt(x)]),
              { color },
            ),
          ),
          points(
            "",
            [...training.targets].map((y, row): Point => [training.features[row]!, y]),
            { color: colors.black },
          ),
        ],
      },
      {
        title: "Loss: training dashed, validation solid",
        x: { name: "step" },
        y: { name: "mean squared error", log: true },
        legend: false,
        series: found.flatMap(({ name, color, trainingLosses, validationLosses }) => [
          line(`${name}, training`, everyTwentieth(trainingLosses), { color, dashed: true, width: 1.5 }),
          line(`${name}, validation`, everyTwentieth(validationLosses), { color }),
        ]),
      },
    ]),
  );
}
