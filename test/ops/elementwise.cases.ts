import {
  abs,
  add,
  divide,
  equal,
  exp,
  greater,
  greaterEqual,
  isNotFinite,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  multiply,
  negate,
  notEqual,
  power,
  select,
  sqrt,
  square,
  subtract,
  toFloat,
} from "../../src/ops/elementwise/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { divisionError, expError, logError, powError, sqrtError } from "./accuracy.ts";
import {
  awayFromZero,
  exactly,
  GAP,
  grid,
  integersBelow,
  opCase,
  ROUNDED,
  tied,
  uniform,
  type Draw,
  type OpCase,
  type Tolerance,
} from "./cases.ts";

const DIVIDED: Tolerance = { c: 0, functionError: divisionError };

const arithmetic: OpCase[] = [
  opCase({
    name: "add",
    covers: ["add"],
    inputs: {
      a: { shape: [3, 17], draw: uniform(-2, 2), special: [0, 1e4] },
      b: { shape: [3, 17], draw: uniform(-2, 2) },
    },
    build: ({ a, b }) => add(a, b),
    differentiable: { a: 1, b: 1 },
    tolerance: ROUNDED,
  }),
  opCase({
    name: "subtract",
    covers: ["subtract"],
    inputs: { a: { shape: [65], draw: uniform(-2, 2) }, b: { shape: [65], draw: uniform(-2, 2), special: [0, 1e4] } },
    build: ({ a, b }) => subtract(a, b),
    differentiable: { a: 1, b: 1 },
    tolerance: ROUNDED,
  }),
  opCase({
    name: "multiply",
    covers: ["multiply"],
    inputs: {
      a: { shape: [5, 3, 3], draw: uniform(-2, 2), special: [0] },
      b: { shape: [5, 3, 3], draw: uniform(-2, 2) },
    },
    build: ({ a, b }) => multiply(a, b),
    differentiable: { a: 1, b: 1 },
    tolerance: ROUNDED,
  }),
  opCase({
    name: "divide",
    covers: ["divide"],
    inputs: { a: { shape: [3, 17], draw: uniform(-2, 2), special: [0] }, b: { shape: [3, 17], draw: uniform(0.5, 2) } },
    build: ({ a, b }) => divide(a, b),
    differentiable: { a: 1, b: 1 },
    tolerance: DIVIDED,
  }),
  opCase({
    name: "divide by negative numbers",
    covers: ["divide"],
    inputs: { a: { shape: [7], draw: uniform(-2, 2) }, b: { shape: [7], draw: uniform(-3, -0.5), special: [-1e4] } },
    build: ({ a, b }) => divide(a, b),
    differentiable: { a: 1, b: 1 },
    tolerance: DIVIDED,
  }),
];

/** The shapes of two inputs, and the number of elements over which the gradient of each is summed. */
const broadcasts = [
  [[], [], 1, 1],
  [[1], [1], 1, 1],
  [[], [3, 17], 51, 1],
  [[3, 17], [17], 1, 3],
  [[3, 1], [1, 17], 17, 3],
  [[1, 17], [3, 1], 3, 17],
  [[3, 1], [17], 17, 3],
  [[2, 3, 5], [3, 1], 1, 10],
  [[2, 1, 3, 1], [5, 1, 4], 20, 6],
  [[2, 3, 4, 5], [1, 1, 4, 1], 1, 30],
] as const;

const broadcasting: OpCase[] = broadcasts.map(([shapeA, shapeB, joinedA, joinedB], place) => {
  const [name, f] = (
    [
      ["multiply", multiply],
      ["divide", divide],
      ["add", add],
    ] as const
  )[place % 3]!;
  return opCase({
    name: `${name} [${shapeA.join(", ")}] and [${shapeB.join(", ")}]`,
    covers: [name],
    inputs: { a: { shape: shapeA, draw: uniform(-2, 2) }, b: { shape: shapeB, draw: uniform(0.5, 2) } },
    build: ({ a, b }) => f(a, b),
    differentiable: { a: joinedA, b: joinedB },
    tolerance: name === "divide" ? DIVIDED : ROUNDED,
  });
});

const withNumbers: OpCase[] = [
  opCase({
    name: "numbers as operands",
    covers: ["add", "subtract", "multiply", "divide"],
    inputs: { x: { shape: [3, 5], draw: uniform(0.5, 2) } },
    build: ({ x }) => subtract(3.7, multiply(add(x, 2.5), divide(-1, x))),
    differentiable: { x: 1 },
    tolerance: { c: 16 },
  }),
  opCase({
    name: "one tensor as both operands",
    covers: ["multiply", "subtract"],
    inputs: { x: { shape: [17], draw: uniform(-2, 2) } },
    build: ({ x }) => subtract(multiply(x, x), x),
    differentiable: { x: 1 },
    tolerance: { c: 4 },
  }),
  opCase({
    name: "a tensor minus itself, plus it divided by itself",
    covers: ["subtract", "divide"],
    inputs: { x: { shape: [17], draw: uniform(0.5, 2) } },
    build: ({ x }) => add(subtract(x, x), divide(x, x)),
    tolerance: { c: 4 },
    // Its derivative is 0, which no wrong sign changes.
    parityOnly: true,
  }),
];

const large: OpCase[] = [
  opCase({
    name: "add a bias to [257, 129]",
    covers: ["add"],
    inputs: { a: { shape: [257, 129], draw: uniform(-2, 2) }, b: { shape: [129], draw: uniform(-2, 2) } },
    build: ({ a, b }) => add(a, b),
    differentiable: { a: 1, b: 257 },
    tolerance: ROUNDED,
    parityOnly: true,
  }),
  opCase({
    name: "multiply 100003 elements",
    covers: ["multiply"],
    inputs: { a: { shape: [100_003], draw: uniform(-2, 2) }, b: { shape: [1], draw: uniform(-2, 2) } },
    build: ({ a, b }) => multiply(a, b),
    differentiable: { a: 1, b: 100_003 },
    tolerance: ROUNDED,
    parityOnly: true,
  }),
];

const choices: OpCase[] = (
  [
    ["minimum", minimum],
    ["maximum", maximum],
  ] as const
).flatMap(([name, f]) => [
  opCase({
    name,
    covers: [name],
    inputs: { a: { shape: [3, 17], draw: grid(0) }, b: { shape: [3, 17], draw: grid(5 * GAP) } },
    build: ({ a, b }) => f(a, b),
    differentiable: { a: 1, b: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: `${name} with ties`,
    covers: [name],
    inputs: { a: { shape: [7, 9], draw: tied }, b: { shape: [9], draw: tied } },
    build: ({ a, b }) => f(a, b),
    differentiable: { a: 1, b: 7 },
    tolerance: "exact",
    parityOnly: true,
  }),
]);

const comparing = { less, lessEqual, greater, greaterEqual, equal, notEqual };

const comparisons: OpCase[] = Object.entries(comparing).map(([name, f]) =>
  opCase({
    name,
    covers: [name],
    inputs: { a: { shape: [5, 13], draw: tied }, b: { shape: [5, 1], draw: tied } },
    build: ({ a, b }) => f(a, b),
    tolerance: "exact",
  }),
);

const chosen: OpCase[] = [
  opCase({
    name: "isNotFinite",
    covers: ["isNotFinite"],
    inputs: {
      x: { shape: [3, 17], draw: tied, special: [NaN, Infinity, -Infinity, 3.4028234663852886e38, -1e-40, 0] },
    },
    build: ({ x }) => isNotFinite(x),
    tolerance: "exact",
  }),
  opCase({
    name: "select",
    covers: ["select"],
    inputs: {
      condition: { shape: [17], draw: tied },
      a: { shape: [3, 17], draw: uniform(-2, 2) },
      b: { shape: [3, 1], draw: uniform(-2, 2) },
    },
    build: ({ condition, a, b }) => select(condition, a, b),
    differentiable: { a: 1, b: 17 },
    tolerance: "exact",
  }),
  opCase({
    name: "select by a comparison",
    covers: ["select", "greater"],
    inputs: { x: { shape: [5, 7], draw: awayFromZero(2) } },
    build: ({ x }) => select(greater(x, 0), x, multiply(x, 0.25)),
    differentiable: { x: 1 },
    tolerance: ROUNDED,
  }),
  opCase({
    name: "equal, labels",
    covers: ["equal"],
    inputs: {
      a: { shape: [65], dtype: "uint32", draw: integersBelow(4) },
      b: { shape: [65], dtype: "uint32", draw: integersBelow(4) },
    },
    build: ({ a, b }) => equal(a, b),
    tolerance: "exact",
  }),
  opCase({
    name: "equal, labels and a number",
    covers: ["equal"],
    inputs: { a: { shape: [3, 17], dtype: "uint32", draw: integersBelow(4), special: [2 ** 32 - 1] } },
    build: ({ a }) => equal(a, 2),
    tolerance: "exact",
  }),
  opCase({
    name: "toFloat",
    covers: ["toFloat"],
    inputs: { x: { shape: [3, 17], dtype: "uint32", draw: integersBelow(2 ** 24), special: [0, 2 ** 24] } },
    build: ({ x }) => toFloat(x),
    tolerance: "exact",
  }),
];

interface Unary {
  readonly name: string;
  readonly op: string;
  readonly f: (x: Tensor) => Tensor;
  readonly draw: Draw;
  readonly special?: readonly number[];
  readonly tolerance: Tolerance | "exact";
  readonly gradientTolerance?: Partial<Tolerance>;
}

const powers = (
  [
    [2, -3, 3],
    [3, -3, 3],
    [1, -3, 3],
    [5, -2, 2],
    [-1, 0.5, 3],
    [-3, 0.5, 2],
    [64, 0.8, 1.05],
  ] as const
).map(([exponent, low, high]): Unary => ({
  name: `power ${exponent}`,
  op: "power",
  f: (x) => power(x, exponent),
  draw: uniform(low, high),
  // Repeated squaring rounds about as often as there are factors.
  tolerance: { c: 16, joined: Math.abs(exponent) },
  gradientTolerance: { joined: Math.abs(exponent) + 1 },
}));

const fractionalPowers = [0.5, 1.5, -0.5, 2.7].map((exponent): Unary => ({
  name: `power ${exponent}`,
  op: "power",
  f: (x) => power(x, exponent),
  draw: uniform(0.3, 4),
  tolerance: { c: 4, scale: "each", functionError: (_, element, { x }) => powError(x![element]!, exponent) },
  gradientTolerance: {
    // The upstream weights are below 1.5.
    functionError: (_, element, { x }) => 1.5 * Math.abs(exponent) * powError(x![element]!, exponent - 1),
  },
}));

const unary: Unary[] = [
  { name: "negate", op: "negate", f: negate, draw: uniform(-2, 2), special: [0, 1e4], tolerance: "exact" },
  {
    name: "exp",
    op: "exp",
    f: exp,
    draw: uniform(-3, 3),
    tolerance: { c: 0, functionError: (_, element, { x }) => expError(x![element]!) },
    gradientTolerance: { functionError: (_, element, { x }) => 1.5 * expError(x![element]!) },
  },
  {
    name: "log",
    op: "log",
    f: log,
    draw: uniform(0.2, 5),
    special: [1, 1e-6, 1e4, 1e30],
    tolerance: { c: 0, functionError: (_, element, { x }) => logError(x![element]!) },
  },
  {
    name: "sqrt",
    op: "sqrt",
    f: sqrt,
    draw: uniform(0.2, 5),
    special: [1e4, 1e-6, 1],
    tolerance: { c: 0, functionError: sqrtError },
    gradientTolerance: { functionError: sqrtError },
  },
  { name: "square", op: "square", f: square, draw: uniform(-2, 2), special: [0, 1e4], tolerance: ROUNDED },
  { name: "abs", op: "abs", f: abs, draw: awayFromZero(2), special: [0, -1e4, 1e4], tolerance: "exact" },
  ...powers,
  ...fractionalPowers,
];

const unaryCases: OpCase[] = unary.map(({ name, op, f, draw, special = [], tolerance, gradientTolerance = {} }) =>
  opCase({
    name,
    covers: [op],
    inputs: { x: { shape: [3, 17], draw, special } },
    build: ({ x }) => f(x),
    differentiable: { x: 1 },
    tolerance,
    gradientTolerance,
  }),
);

const edges: OpCase[] = [
  opCase({
    name: "exp of large arguments",
    covers: ["exp"],
    inputs: { x: { shape: [17], draw: uniform(-80, 80), special: [-1e4, -100, 88, 0] } },
    build: ({ x }) => exp(x),
    tolerance: { c: 0, functionError: (_, element, { x }) => expError(x![element]!) },
  }),
  opCase({
    name: "sqrt of 0",
    covers: ["sqrt"],
    inputs: { x: { shape: [3], draw: exactly(0, 4, 0) } },
    build: ({ x }) => sqrt(x),
    tolerance: { c: 0, functionError: sqrtError },
  }),
  opCase({
    name: "power 0",
    covers: ["power"],
    inputs: { x: { shape: [7], draw: uniform(-2, 2), special: [0] } },
    build: ({ x }) => power(x, 0),
    tolerance: "exact",
  }),
  opCase({
    name: "power 1.5 at 0",
    covers: ["power"],
    inputs: { x: { shape: [5], draw: uniform(0.3, 4), special: [0] } },
    build: ({ x }) => power(x, 1.5),
    differentiable: { x: 1 },
    tolerance: { c: 4, scale: "each", functionError: (_, element, { x }) => powError(x![element]!, 1.5) },
    gradientTolerance: { functionError: (_, element, { x }) => 3 * powError(x![element]!, 0.5) },
    parityOnly: true,
  }),
];

export const cases: readonly OpCase[] = [
  ...arithmetic,
  ...broadcasting,
  ...withNumbers,
  ...large,
  ...choices,
  ...comparisons,
  ...chosen,
  ...unaryCases,
  ...edges,
];
