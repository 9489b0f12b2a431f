import * as ops from "../../../src/ops/elementwise/index.ts";
import { toIndex } from "../../../src/ops/convert/index.ts";
import type { Tensor } from "../../../src/graph/tensor.ts";
import { awayFromZero, exactly, GAP, grid, integersBelow, tied, uniform, type Draw } from "../cases.ts";
import { comparison, floats, type Comparison } from "./comparison.ts";

const shape = [3, 5];

type Unary = (x: Tensor) => Tensor;

const unary = (op: string, f: Unary, torch: string, draw: Draw = uniform(-2, 2)): Comparison =>
  comparison(op, { x: { shape, draw } }, ({ x }) => f(x), torch);

/** Without a derivative, or with one that is 0 everywhere. */
const flat = (op: string, f: Unary, torch: string, draw: Draw): Comparison =>
  comparison(op, { x: { shape, draw } }, ({ x }) => f(x), torch, []);

const halves = exactly(0.5, 1.5, -0.5, -2.5, 2.5, 0, -1, 3, 0.49, -0.51, 7.2, -7.2, 1e9, 4.5, -3.5);
const notFinite = exactly(0, 1, NaN, Infinity, -Infinity, 3e38, -3e38, 2, 3, 4, 5, 6, 7, 8, 9);

const functions = [
  unary("negate", ops.negate, "-x"),
  unary("abs", ops.abs, "x.abs()", awayFromZero(2)),
  flat("sign", ops.sign, "x.sign()", tied),
  unary("square", ops.square, "x.square()"),
  unary("power", (x) => ops.power(x, 2.7), "x ** 2.7", uniform(0.3, 3)),
  unary("power", (x) => ops.power(x, 3), "x ** 3"),
  unary("power", (x) => ops.power(x, -2), "x ** -2", awayFromZero(2)),
  unary("sqrt", ops.sqrt, "x.sqrt()", uniform(0.2, 5)),
  unary("rsqrt", ops.rsqrt, "x.rsqrt()", uniform(0.2, 5)),
  flat("floor", ops.floor, "x.floor()", halves),
  flat("round", ops.round, "x.round()", halves),
  unary("exp", ops.exp, "x.exp()"),
  unary("expm1", ops.expm1, "x.expm1()", uniform(-0.5, 2)),
  unary("log", ops.log, "x.log()", uniform(0.1, 5)),
  unary("log1p", ops.log1p, "x.log1p()", uniform(-0.9, 3)),
  unary("sin", ops.sin, "x.sin()", uniform(-9, 9)),
  unary("cos", ops.cos, "x.cos()", uniform(-9, 9)),
  flat("isNotFinite", ops.isNotFinite, "~torch.isfinite(x)", notFinite),
];

const activations = [
  unary("identity", ops.identity, "x"),
  flat("step", ops.step, "x >= 0", tied),
  unary("sigmoid", ops.sigmoid, "torch.sigmoid(x)", uniform(-6, 6)),
  unary("tanh", ops.tanh, "torch.tanh(x)"),
  unary("relu", ops.relu, "F.relu(x)", awayFromZero(3)),
  unary("leakyRelu", ops.leakyRelu, "F.leaky_relu(x)", awayFromZero(3)),
  unary("leakyRelu", (x) => ops.leakyRelu(x, 0.3), "F.leaky_relu(x, 0.3)", awayFromZero(3)),
  unary("elu", (x) => ops.elu(x, 1.5), "F.elu(x, 1.5)", awayFromZero(3)),
  unary("softplus", ops.softplus, "F.softplus(x)", uniform(-6, 6)),
  unary("gelu", ops.gelu, "F.gelu(x)", uniform(-4, 4)),
  unary("geluTanh", ops.geluTanh, "F.gelu(x, approximate='tanh')", uniform(-4, 4)),
  unary("silu", ops.silu, "F.silu(x)", uniform(-6, 6)),
];

const pair = { a: floats(3, 5), b: { shape: [5], draw: awayFromZero(2) } };
const apart = { a: { shape, draw: grid(0) }, b: { shape: [3, 1], draw: grid(5 * GAP) } };

const binary = [
  comparison("add", pair, ({ a, b }) => ops.add(a, b), "a + b"),
  comparison("subtract", pair, ({ a, b }) => ops.subtract(a, b), "a - b"),
  comparison("multiply", pair, ({ a, b }) => ops.multiply(a, b), "a * b"),
  comparison("divide", pair, ({ a, b }) => ops.divide(a, b), "a / b"),
  comparison("divide", { a: pair.b }, ({ a }) => ops.divide(2, a), "2 / a"),
  comparison("remainder", pair, ({ a, b }) => ops.remainder(a, b), "torch.remainder(a, b)"),
  comparison("minimum", apart, ({ a, b }) => ops.minimum(a, b), "torch.minimum(a, b)"),
  comparison("maximum", apart, ({ a, b }) => ops.maximum(a, b), "torch.maximum(a, b)"),
];

const ties = { a: { shape, draw: tied }, b: { shape: [5], draw: tied } };

const comparisonsOfNumbers = (
  [
    ["less", ops.less, "a < b"],
    ["lessEqual", ops.lessEqual, "a <= b"],
    ["greater", ops.greater, "a > b"],
    ["greaterEqual", ops.greaterEqual, "a >= b"],
    ["equal", ops.equal, "a == b"],
    ["notEqual", ops.notEqual, "a != b"],
  ] as const
).map(([op, f, torch]) => comparison(op, ties, ({ a, b }) => f(a, b), torch, []));

const others = [
  comparison(
    "clip",
    {
      x: { shape, draw: grid(0) },
      low: { shape: [3, 1], draw: exactly(-1.45, -0.25, 0.35) },
      high: { shape: [], draw: exactly(1.15) },
    },
    ({ x, low, high }) => ops.clip(x, low, high),
    "torch.clamp(x, min=low, max=high.expand(3, 1))",
  ),
  comparison(
    "select",
    { condition: { shape: [5], draw: tied }, a: floats(3, 5), b: floats(3, 1) },
    ({ condition, a, b }) => ops.select(condition, a, b),
    "torch.where(condition != 0, a, b)",
    ["a", "b"],
  ),
  comparison(
    "toFloat",
    { x: { shape, dtype: "uint32", draw: integersBelow(2 ** 24) } },
    ({ x }) => ops.toFloat(x),
    "x.double()",
  ),
  comparison("toIndex", { x: { shape, draw: uniform(-3, 300) } }, ({ x }) => toIndex(x), "x.floor().clamp(min=0)", []),
];

export const comparisons: readonly Comparison[] = [
  ...functions,
  ...activations,
  ...binary,
  ...comparisonsOfNumbers,
  ...others,
];
