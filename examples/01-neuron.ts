/*
 * The threshold neuron of McCulloch and Pitts (1943): it fires (y = 1) if Σ wᵢ xᵢ reaches a threshold θ. With fixed
 * weights it computes a logic gate: AND needs both inputs, OR needs one. Nothing is learned yet.
 */
import { constant, matmul, step, subtract, type Backend } from "../src/index.ts";
import { colors, line, picture, points, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";
import { valuesOf } from "./lib/values.ts";

/** All inputs of a gate. */
export const inputs: readonly Point[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];

export interface Neuron {
  readonly weights: Point;
  readonly threshold: number;
}

export const gates: Readonly<Record<"AND" | "OR", Neuron>> = {
  AND: { weights: [1, 1], threshold: 2 },
  OR: { weights: [1, 1], threshold: 1 },
};

/** The neuron's output for each of the four inputs: y = step(x · w − θ). */
export async function outputs(backend: Backend, { weights, threshold }: Neuron): Promise<number[]> {
  const x = constant(inputs.flat(), [4, 2]);
  const w = constant(weights, [2, 1]);
  const y = step(subtract(matmul(x, w), threshold));
  return (await valuesOf(backend, { y })).y;
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const panels = [];
  for (const [gate, neuron] of Object.entries(gates)) {
    const found = await outputs(backend, neuron);
    inputs.forEach(([a, b], index) => print(`${a} ${gate} ${b} = ${found[index]}`));
    const where = (wanted: number) => inputs.filter((_, index) => found[index] === wanted);
    const {
      weights: [first, second],
      threshold,
    } = neuron;
    // The line x · w = θ: on and above it the neuron fires.
    const boundary = [-0.5, 1.5].map((x): Point => [x, (threshold - first * x) / second]);
    panels.push({
      title: `${gate}: fires where x₁ + x₂ ≥ ${threshold}`,
      x: { name: "x₁", min: -0.5, max: 1.5 },
      y: { name: "x₂", min: -0.5, max: 1.5 },
      series: [
        line("threshold", boundary, { color: colors.black }),
        points("y = 0", where(0), { color: "#ffffff", edge: colors.black, size: 14 }),
        points("y = 1", where(1), { color: colors.blue, edge: colors.black, size: 14 }),
      ],
    });
  }
  await draw(picture("01", panels));
}
