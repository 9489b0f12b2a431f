/*
 * The chain rule by hand and by the library: z = (x + y) · w, and f(x) = (2x − 1)² through g(x) = 2x − 1.
 */
import { add, createCpuBackend, defineGraph, gradients, multiply, parameter, square, subtract, type Tensor } from "../src/index.ts";

/** The values of scalars, computed once in float64. */
async function valuesOf(outputs: Record<string, Tensor>): Promise<Record<string, number>> {
  const session = createCpuBackend({ precision: "float64" }).createSession();
  const executable = await session.compile(defineGraph(outputs));
  const values = await executable.run(0, 1);
  return Object.fromEntries(Object.entries(values).map(([name, [value]]) => [name, value!]));
}

/** z = (x + y) · w at x = 2, y = 3, w = 4: ∂z/∂x = ∂z/∂y = w, and ∂z/∂w = x + y. */
export function product(): Promise<Record<string, number>> {
  const x = parameter("x", [], [2]);
  const y = parameter("y", [], [3]);
  const w = parameter("w", [], [4]);
  const z = multiply(add(x, y), w);
  const [dx, dy, dw] = gradients(z, [x, y, w]);
  return valuesOf({ z, dx, dy, dw });
}

/** f(x) = g(x)² with g(x) = 2x − 1: f′(x) = 2 g(x) · 2 = 8x − 4. */
export async function composition(at: number): Promise<{ value: number; slope: number; closedForm: number }> {
  const x = parameter("x", [], [at]);
  const f = square(subtract(multiply(x, 2), 1));
  const { value, slope } = await valuesOf({ value: f, slope: gradients(f, [x])[0] });
  return { value: value!, slope: slope!, closedForm: 8 * at - 4 };
}

const { z, dx, dy, dw } = await product();
console.log(`z = (2 + 3) · 4 = ${z}, ∂z/∂x = ${dx}, ∂z/∂y = ${dy}, ∂z/∂w = ${dw}`);
for (const at of [-1, 0.5, 3]) {
  const { value, slope, closedForm } = await composition(at);
  console.log(`f(${at}) = ${value}, f′(${at}) = ${slope}, in closed form ${closedForm}`);
}
