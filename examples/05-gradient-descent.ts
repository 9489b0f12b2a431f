/*
 * Gradient descent on three points (weight, height): first for the intercept alone, with the slope fixed at 0.64, then for
 * both. The loss is the sum of squared residuals. Then y = x² from x = −1. A descent ends when its step is small enough or
 * after a maximum number of steps, and reports which.
 */
import {
  add,
  constant,
  minimize,
  multiply,
  parameter,
  square,
  subtract,
  sum,
  type Backend,
  type Minimization,
  type Operand,
} from "../src/index.ts";
import { colors, fieldPlaces, filledContours, line, picture, points, range, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

export const weights = [0.5, 2.3, 2.9];
export const heights = [1.4, 1.9, 3.2];
const SLOPE = 0.64;

/** Σ (height − (intercept + slope · weight))², as a graph. */
function squaredResiduals(slope: Operand, intercept: Operand) {
  return sum(square(subtract(constant(heights), add(multiply(constant(weights), slope), intercept))));
}

/** The same sum as a number. */
export function squaredResidualsAt(slope: number, intercept: number): number {
  return weights.reduce((total, weight, index) => total + (heights[index]! - intercept - slope * weight) ** 2, 0);
}

/** The intercept alone, from 0, with learning rate 0.1: 0, 0.57, 0.80, 0.89, 0.92, 0.94, 0.95. */
export function fitIntercept(backend: Backend, maxSteps = 1000): Promise<Minimization> {
  const intercept = parameter("intercept", [], [0]);
  const loss = squaredResiduals(SLOPE, intercept);
  const session = backend.createSession();
  return minimize(loss, {
    session,
    parameters: [intercept],
    learningRate: 0.1,
    maxSteps,
    smallestStep: 0.001,
    record: { intercept },
  });
}

/** Slope and intercept, from 1 and 0, with learning rate 0.01. */
export function fitBoth(backend: Backend, maxSteps = 1000): Promise<Minimization> {
  const slope = parameter("slope", [], [1]);
  const intercept = parameter("intercept", [], [0]);
  const options = { parameters: [slope, intercept], learningRate: 0.01, maxSteps, smallestStep: 0.0001 };
  return minimize(squaredResiduals(slope, intercept), {
    session: backend.createSession(),
    ...options,
    record: { slope, intercept },
  });
}

/** y = x² from x = −1: a learning rate of 0.1 multiplies x by 0.8 at each step. */
export function descendParabola(backend: Backend, maxSteps: number): Promise<Minimization> {
  const x = parameter("x", [], [-1]);
  const session = backend.createSession();
  return minimize(square(x), {
    session,
    parameters: [x],
    learningRate: 0.1,
    maxSteps,
    smallestStep: 0.001,
    record: { x },
  });
}

const reasons = { maxSteps: "maximum number of steps", smallStep: "small step", notFinite: "loss not finite" };

const ending = ({ steps, stopped, losses }: Minimization) =>
  `after ${steps} steps (${reasons[stopped]}), loss ${losses.at(-1)!.toFixed(4)}`;

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const alone = await fitIntercept(backend);
  print(`intercept ${alone.record["intercept"]!.at(-1)!.toFixed(3)} ${ending(alone)}`);
  const both = await fitBoth(backend);
  const [slopes, intercepts] = [both.record["slope"]!, both.record["intercept"]!];
  print(`slope ${slopes.at(-1)!.toFixed(3)}, intercept ${intercepts.at(-1)!.toFixed(3)} ${ending(both)}`);
  for (const most of [10, 1000]) {
    const { record, ...rest } = await descendParabola(backend, most);
    print(`y = x²: x = ${record["x"]!.at(-1)!.toFixed(4)} ${ending({ record, ...rest })}`);
  }
  const field = { x: [-0.4, 1.4], y: [-0.6, 2.2], size: 60 } as const;
  const places = fieldPlaces(field);
  const values = Array.from({ length: field.size ** 2 }, (_, index) =>
    squaredResidualsAt(places[2 * index]!, places[2 * index + 1]!),
  );
  const path = slopes.map((slope, step): Point => [slope, intercepts[step]!]);
  const every = path.filter((_, step) => step % 10 === 0 || step === path.length - 1);
  await draw(
    picture("05", [
      {
        title: "Loss over the intercept (slope 0.64)",
        x: { name: "intercept" },
        y: { name: "sum of squared residuals" },
        series: [
          line(
            "loss",
            range(-0.2, 2, 61).map((x): Point => [x, squaredResidualsAt(SLOPE, x)]),
          ),
          points(
            `${alone.steps} steps`,
            alone.record["intercept"]!.map((x, step): Point => [x, alone.losses[step]!]),
            { color: colors.orange },
          ),
        ],
      },
      {
        title: "Loss over slope and intercept, with the path",
        x: { name: "slope", min: -0.4, max: 1.4 },
        y: { name: "intercept", min: -0.6, max: 2.2 },
        series: [
          filledContours({ ...field, values, thresholds: [0.6, 1, 2, 4, 8, 14, 22, 32], colors: surfaceColors }),
          line(`${both.steps} steps, every 10th marked`, path, { color: colors.orange }),
          points("", every, { color: colors.orange, size: 5 }),
        ],
      },
    ]),
  );
}

const surfaceColors = [
  "#2b6ca3",
  "#3f83b8",
  "#5b9ac8",
  "#7db1d7",
  "#9dc6e3",
  "#bbd8ed",
  "#d5e7f4",
  "#e7f1f9",
  "#f4f9fd",
];
