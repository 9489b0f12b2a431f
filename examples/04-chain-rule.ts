/*
 * The chain rule by hand and by the library: z = (x + y) · w, and f(x) = (2x − 1)² through g(x) = 2x − 1.
 */
import { add, gradients, multiply, parameter, square, subtract, sum, type Backend } from "../src/index.ts";
import { colors, line, picture, points, range, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";
import { valuesOf } from "./lib/values.ts";

/** z = (x + y) · w at x = 2, y = 3, w = 4: ∂z/∂x = ∂z/∂y = w, and ∂z/∂w = x + y. */
export async function product(backend: Backend) {
  const x = parameter("x", [], [2]);
  const y = parameter("y", [], [3]);
  const w = parameter("w", [], [4]);
  const z = multiply(add(x, y), w);
  const [dx, dy, dw] = gradients(z, [x, y, w]);
  const found = await valuesOf(backend, { z, dx, dy, dw });
  return { z: found.z[0]!, dx: found.dx[0]!, dy: found.dy[0]!, dw: found.dw[0]! };
}

/** f(x) = g(x)² with g(x) = 2x − 1, and f′(x) = 2 g(x) · 2 by the chain rule, at several points at once. */
export async function composition(backend: Backend, places: readonly number[]) {
  const x = parameter("x", [places.length], places);
  const f = square(subtract(multiply(x, 2), 1));
  // No f(x) depends on another x, so the gradient of their sum is the derivative at each point.
  const [slope] = gradients(sum(f), [x]);
  return valuesOf(backend, { value: f, slope });
}

/** The same derivative multiplied out: f(x) = 4x² − 4x + 1, so f′(x) = 8x − 4. */
export const closedForm = (x: number): number => 8 * x - 4;

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const { z, dx, dy, dw } = await product(backend);
  print(`z = (2 + 3) · 4 = ${z}, ∂z/∂x = ${dx}, ∂z/∂y = ${dy}, ∂z/∂w = ${dw}`);
  const places = range(-1, 2, 13);
  const { value, slope } = await composition(backend, places);
  for (const index of [0, 6, 12]) {
    const x = places[index]!;
    print(`f(${x}) = ${value[index]}, f′(${x}) = ${slope[index]}, closed form ${closedForm(x)}`);
  }
  const curve = (valueAt: (x: number) => number) => range(-1, 2, 61).map((x): Point => [x, valueAt(x)]);
  const found = (values: readonly number[]) => values.map((one, index): Point => [places[index]!, one]);
  await draw(
    picture("04", [
      {
        title: "f(x) = (2x − 1)²",
        x: { name: "x" },
        series: [
          line(
            "4x² − 4x + 1",
            curve((x) => 4 * x * x - 4 * x + 1),
          ),
          points("by the library", found(value), { color: colors.orange }),
        ],
      },
      {
        title: "f′(x) by the chain rule",
        x: { name: "x" },
        series: [line("8x − 4", curve(closedForm)), points("by the library", found(slope), { color: colors.orange })],
      },
    ]),
  );
}
