import { GraphError } from "../../errors.ts";
import { requireType, Tensor, type ComputeOp, type Shape } from "../../graph/tensor.ts";
import {
  add,
  greater,
  less,
  log,
  minimum,
  multiply,
  negate,
  select,
  sqrt,
  subtract,
} from "../elementwise/arithmetic.ts";

const randomUniformOp: ComputeOp = { name: "randomUniform", kind: "compute", traits: { kind: "pointwise" } };

/**
 * Uniform random numbers in [0, 1), multiples of 2⁻²⁴. Each is computed from the key and the index of its element where
 * it is read, so the tensor takes no memory and no dispatch.
 * @param key a uint32 scalar, such as a per-step scalar; the same key gives the same numbers on every backend
 * @throws GraphError if the key is not a uint32 scalar
 */
export function randomUniform(shape: Shape, key: Tensor): Tensor {
  requireType("randomUniform key", key, "uint32");
  if (key.size !== 1) {
    throw new GraphError({
      where: "randomUniform",
      what: `the key ${key} is not a scalar`,
      fix: "Give a uint32 scalar",
    });
  }
  return new Tensor(randomUniformOp, [key], {}, { shape, dtype: "float32" });
}

/** Giles (2012), "Approximating the erfinv function", single precision: coefficients from the highest power down. */
const CENTRAL = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];
const TAIL = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
];

const polynomial = (x: Tensor, [first = 0, ...rest]: readonly number[]): Tensor =>
  rest.reduce<Tensor | number>((sum, coefficient) => add(multiply(sum, x), coefficient), first) as Tensor;

/**
 * Standard normal random numbers, at most 5.5 from 0, from `randomUniform` by the inverse of the distribution function.
 * The same key gives the same numbers on every backend, up to rounding.
 * @param key a uint32 scalar
 * @throws GraphError if the key is not a uint32 scalar
 */
export function randomNormal(shape: Shape, key: Tensor): Tensor {
  const u = randomUniform(shape, key);
  // The distance from the center of one of 2²⁴ intervals to the nearer end of [0, 1]. It is exact, and never 0, which
  // would give infinity.
  const t = add(minimum(u, subtract(1 - 2 ** -24, u)), 2 ** -25);
  const x = multiply(subtract(1, multiply(t, 2)), select(less(u, 0.5), -1, 1));
  const w = negate(log(multiply(multiply(t, 4), subtract(1, t))));
  const central = polynomial(subtract(w, 2.5), CENTRAL);
  const tail = polynomial(subtract(sqrt(w), 3), TAIL);
  return multiply(multiply(select(greater(w, 5), tail, central), x), Math.SQRT2);
}
