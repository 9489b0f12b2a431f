/*
 * What NaN and infinities become, by every elementwise op, reduction and loss: PyTorch 1.13's results as constants, for
 * outputs and for gradients. Where two operands are equal wgrad's gradient goes to the first, PyTorch's to both in halves.
 * Not from PyTorch: the parts of a chain that a backend fuses differently must agree.
 */
import { constant, input } from "../../src/graph/leaves.ts";
import { sizeOf, type Tensor } from "../../src/graph/tensor.ts";
import {
  abs,
  add,
  divide,
  elu,
  equal,
  exp,
  gelu,
  geluTanh,
  greater,
  greaterEqual,
  identity,
  isNotFinite,
  leakyRelu,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  multiply,
  negate,
  notEqual,
  power,
  relu,
  select,
  sigmoid,
  silu,
  softplus,
  sqrt,
  square,
  step,
  subtract,
  tanh,
  toFloat,
} from "../../src/ops/elementwise/index.ts";
import { dropoutMask } from "../../src/ops/dropout/index.ts";
import { packFloat16, unpackFloat16 } from "../../src/ops/float16/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { meanSquaredError, sigmoidBinaryCrossEntropy, softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { firstNonFinite } from "../../src/ops/non-finite/index.ts";
import { argmax, max, mean, sum } from "../../src/ops/reduce/index.ts";
import { logSoftmax, softmax } from "../../src/ops/softmax/index.ts";
import { oneHot } from "../../src/ops/indexing/index.ts";

/** A function of inputs with NaN and infinities, and its expected results. */
export interface NonFiniteCase {
  readonly name: string;
  readonly leaves: Readonly<Record<string, Tensor>>;
  readonly values: Readonly<Record<string, Float32Array>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** For each output the expected elements, repeated. */
  readonly expected: Readonly<Record<string, readonly number[]>>;
}

const POINTS = "NaN ∞ -∞ 0 1 -1";

const ROWS = "1 NaN 2, NaN NaN 1, 1 ∞ 2, 1 -∞ 2, -∞ -∞ -∞, ∞ NaN -∞, 1 2 ∞, -∞ 1 NaN";

const numbers = (text: string): number[] => text.split(/[ ,]+/).map((word) => Number(word.replace("∞", "Infinity")));

/** Enough copies of the points that chains use vectors of four elements. */
const COPIES = 1024;

type Values = Readonly<Record<string, readonly number[]>>;

/** A function alone, before and after a reduction, with vec4, and its gradients. */
function elementwiseCase(
  name: string,
  f: (...x: Tensor[]) => Tensor,
  points: Values,
  output: string,
  slopes: readonly string[],
): NonFiniteCase {
  const names = Object.keys(points);
  const size = points[names[0]!]!.length;
  const leavesOf = (suffix: string, copies: number) => names.map((leaf) => input(`${leaf}${suffix}`, [copies * size]));
  const [x, many] = [leavesOf("", 1), leavesOf(" again and again", COPIES)];
  const asColumn = (tensor: Tensor) => reshape(tensor, [-1, 1]);
  const summed = (tensor: Tensor) => sum(asColumn(tensor), { axes: 1 });
  const y = f(...x);
  const found = slopes.length === 0 ? [] : gradients(sum(y), x);
  const repeated = (values: readonly number[], copies: number) =>
    Float32Array.from({ length: copies * size }, (_, index) => values[index % size]!);
  return {
    name,
    leaves: Object.fromEntries([...x, ...many].map((leaf) => [leaf.toString(), leaf])),
    values: Object.fromEntries(
      [...x, ...many].map((leaf, position) => [
        leaf.toString(),
        repeated(points[names[position % names.length]!]!, leaf.size / size),
      ]),
    ),
    outputs: {
      alone: y,
      "after a reduction": f(...x.map(summed)),
      "before a reduction": summed(f(...x)),
      "by fours": f(...many),
      ...Object.fromEntries(found.map((slope, position) => [`gradient ${position}`, slope])),
    },
    expected: {
      ...Object.fromEntries(
        ["alone", "after a reduction", "before a reduction", "by fours"].map((form) => [form, numbers(output)]),
      ),
      ...Object.fromEntries(slopes.map((slope, position) => [`gradient ${position}`, numbers(slope)])),
    },
  };
}

const unary = (name: string, f: (x: Tensor) => Tensor, output: string, ...slopes: string[]) =>
  elementwiseCase(name, (x) => f(x!), { x: numbers(POINTS) }, output, slopes);

const pairs = numbers(POINTS).flatMap((a) => numbers(POINTS).map((b) => [a, b] as const));

const binary = (name: string, f: (a: Tensor, b: Tensor) => Tensor, output: string, ...slopes: string[]) =>
  elementwiseCase(name, (a, b) => f(a!, b!), { a: pairs.map(([a]) => a), b: pairs.map(([, b]) => b) }, output, slopes);

/** A function of rows. */
function rows(name: string, f: (x: Tensor) => Tensor, output: string, slope?: string, given = ROWS): NonFiniteCase {
  const values = numbers(given);
  const columns = given.split(",")[0]!.trim().split(" ").length;
  const x = input("x", [values.length / columns, columns]);
  const y = f(x);
  return {
    name,
    leaves: { x },
    values: { x: Float32Array.from(values) },
    outputs: { alone: y, ...(slope !== undefined && { gradient: gradients(sum(y), [x])[0] }) },
    expected: { alone: numbers(output), ...(slope !== undefined && { gradient: numbers(slope) }) },
  };
}

const labelsOf = (x: Tensor, label: number) =>
  constant(new Array<number>(x.shape[0]!).fill(label), [x.shape[0]!], "uint32");
const crossEntropyOf = (label: number) => (x: Tensor) => softmaxCrossEntropy(x, labelsOf(x, label), "none");
const sigmoidOf = (label: number) => (x: Tensor) =>
  sigmoidBinaryCrossEntropy(x, reshape(toFloat(labelsOf(x, label)), x.shape), "none");
/** The first of two outputs per example, for its label. */
const sigmoidOfPair = (x: Tensor) => sigmoidBinaryCrossEntropy(x, oneHot(labelsOf(x, 0), 2), "none");

/** Rows so long that several threads share one, each with NaN at one place and possibly another one after it. */
const LONG = 300;
const nanPlaces = [[0], [5], [LONG - 1], [17, 40], [200, 290], [100, 101, 102]];

function longRows(
  name: string,
  f: (x: Tensor, axis: number) => Tensor,
  axis: 0 | 1,
  expected: (places: readonly number[]) => number,
): NonFiniteCase {
  const shape = axis === 1 ? [nanPlaces.length, LONG] : [LONG, nanPlaces.length];
  const x = input("x", shape);
  const values = new Float32Array(sizeOf(shape)).map((_, index) => index % 7);
  nanPlaces.forEach((places, row) => {
    for (const place of places) values[axis === 1 ? row * LONG + place : place * nanPlaces.length + row] = NaN;
  });
  return {
    name,
    leaves: { x },
    values: { x: values },
    outputs: { alone: f(x, axis) },
    expected: { alone: nanPlaces.map(expected) },
  };
}

const elementwiseCases: readonly NonFiniteCase[] = [
  unary("identity", identity, "NaN ∞ -∞ 0 1 -1", "1 1 1 1 1 1"),
  unary("step", step, "0 1 0 1 1 0"),
  unary("sigmoid", sigmoid, "NaN 1 0 0.5 0.7310586 0.2689414", "NaN 0 0 0.25 0.1966119 0.1966119"),
  unary("tanh", tanh, "NaN 1 -1 0 0.7615942 -0.7615942", "NaN 0 0 1 0.4199743 0.4199743"),
  unary("relu", relu, "NaN ∞ 0 0 1 0", "1 1 0 0 1 0"),
  unary("leakyRelu", (x) => leakyRelu(x, 0.01), "NaN ∞ -∞ 0 1 -0.01", "0.01 1 0.01 0.01 1 0.01"),
  unary("leakyRelu of slope 0", (x) => leakyRelu(x, 0), "NaN ∞ NaN 0 1 0", "0 1 0 0 1 0"),
  unary("elu", elu, "NaN ∞ -1 0 1 -0.6321205", "1 1 0 1 1 0.3678795"),
  unary("elu of α 0", (x) => elu(x, 0), "NaN ∞ 0 0 1 0", "1 1 0 0 1 0"),
  unary("softplus", softplus, "NaN ∞ 0 0.6931472 1.313262 0.3132617", "NaN 1 0 0.5 0.7310586 0.2689414"),
  unary("geluTanh", geluTanh, "NaN ∞ NaN 0 0.841192 -0.158808", "NaN NaN NaN 0.5 1.082964 -0.08296409"),
  unary("gelu", gelu, "NaN ∞ NaN 0 0.8413447 -0.1586553", "NaN NaN NaN 0.5 1.083315 -0.08331543"),
  unary("silu", silu, "NaN ∞ NaN 0 0.7310586 -0.2689414", "NaN NaN NaN 0.5 0.9276705 0.07232948"),
  unary("negate", negate, "NaN -∞ ∞ 0 -1 1", "-1 -1 -1 -1 -1 -1"),
  unary("exp", exp, "NaN ∞ 0 1 2.718282 0.3678795", "NaN ∞ 0 1 2.718282 0.3678795"),
  unary("log", log, "NaN ∞ NaN -∞ 0 NaN", "NaN 0 0 ∞ 1 -1"),
  unary("sqrt", sqrt, "NaN ∞ NaN 0 1 NaN", "NaN 0 NaN ∞ 0.5 NaN"),
  unary("square", square, "NaN ∞ ∞ 0 1 1", "NaN ∞ -∞ 0 2 -2"),
  unary("abs", abs, "NaN ∞ ∞ 0 1 1", "0 1 -1 0 1 -1"),
  unary("power 2", (x) => power(x, 2), "NaN ∞ ∞ 0 1 1", "NaN ∞ -∞ 0 2 -2"),
  unary("power 3", (x) => power(x, 3), "NaN ∞ -∞ 0 1 -1", "NaN ∞ ∞ 0 3 3"),
  unary("power -1", (x) => power(x, -1), "NaN 0 0 ∞ 1 -1", "NaN 0 0 -∞ -1 -1"),
  unary("power 0", (x) => power(x, 0), "1 1 1 1 1 1"),
  unary("power -1.5", (x) => power(x, -1.5), "NaN 0 0 ∞ 1 NaN", "NaN 0 0 -∞ -1.5 NaN"),
  unary("isNotFinite", isNotFinite, "1 1 1 0 0 0"),
  unary("x · 0", (x) => multiply(x, 0), "NaN NaN NaN 0 0 0", "0 0 0 0 0 0"),
  unary("0 / x", (x) => divide(0, x), "NaN 0 0 NaN 0 0", "NaN 0 0 NaN 0 0"),
  unary("x - x", (x) => subtract(x, x), "NaN NaN NaN 0 0 0", "0 0 0 0 0 0"),
  unary("x / x", (x) => divide(x, x), "NaN NaN NaN NaN 1 1", "NaN NaN NaN NaN 0 0"),
  unary("x · (x > 0)", (x) => multiply(x, greater(x, 0)), "NaN ∞ NaN 0 1 0"),
  unary("x · (x ≤ 0)", (x) => multiply(lessEqual(x, 0), x), "NaN NaN -∞ 0 0 -1"),
  unary("x · step(x)", (x) => multiply(x, step(x)), "NaN ∞ NaN 0 1 0", "0 1 0 1 1 0"),
  unary("x = x", (x) => equal(x, x), "0 1 1 1 1 1"),
  unary("x ≠ x", (x) => notEqual(x, x), "1 0 0 0 0 0"),
  unary("x ≤ x", (x) => lessEqual(x, x), "0 1 1 1 1 1"),
];

const pairCases: readonly NonFiniteCase[] = [
  binary(
    "add",
    add,
    "NaN NaN NaN NaN NaN NaN, NaN ∞ NaN ∞ ∞ ∞, NaN NaN -∞ -∞ -∞ -∞, NaN ∞ -∞ 0 1 -1, NaN ∞ -∞ 1 2 0, NaN ∞ -∞ -1 0 -2",
  ),
  binary(
    "subtract",
    subtract,
    "NaN NaN NaN NaN NaN NaN, NaN NaN ∞ ∞ ∞ ∞, NaN -∞ NaN -∞ -∞ -∞, NaN -∞ ∞ 0 -1 1, NaN -∞ ∞ 1 0 2, NaN -∞ ∞ -1 -2 0",
  ),
  binary(
    "multiply",
    multiply,
    "NaN NaN NaN NaN NaN NaN, NaN ∞ -∞ NaN ∞ -∞, NaN -∞ ∞ NaN -∞ ∞, NaN NaN NaN 0 0 0, NaN ∞ -∞ 0 1 -1, NaN -∞ ∞ 0 -1 1",
    "NaN ∞ -∞ 0 1 -1, NaN ∞ -∞ 0 1 -1, NaN ∞ -∞ 0 1 -1, NaN ∞ -∞ 0 1 -1, NaN ∞ -∞ 0 1 -1, NaN ∞ -∞ 0 1 -1",
    "NaN NaN NaN NaN NaN NaN, ∞ ∞ ∞ ∞ ∞ ∞, -∞ -∞ -∞ -∞ -∞ -∞, 0 0 0 0 0 0, 1 1 1 1 1 1, -1 -1 -1 -1 -1 -1",
  ),
  binary(
    "divide",
    divide,
    "NaN NaN NaN NaN NaN NaN, NaN NaN NaN ∞ ∞ -∞, NaN NaN NaN -∞ -∞ ∞, NaN 0 0 NaN 0 0, NaN 0 0 ∞ 1 -1, NaN 0 0 -∞ -1 1",
    "NaN 0 0 ∞ 1 -1, NaN 0 0 ∞ 1 -1, NaN 0 0 ∞ 1 -1, NaN 0 0 ∞ 1 -1, NaN 0 0 ∞ 1 -1, NaN 0 0 ∞ 1 -1",
    "NaN NaN NaN NaN NaN NaN, NaN NaN NaN -∞ -∞ -∞, NaN NaN NaN ∞ ∞ ∞, NaN 0 0 NaN 0 0, NaN 0 0 -∞ -1 -1, NaN 0 0 ∞ 1 1",
  ),
  binary(
    "minimum",
    minimum,
    "NaN NaN NaN NaN NaN NaN, NaN ∞ -∞ 0 1 -1, NaN -∞ -∞ -∞ -∞ -∞, NaN 0 -∞ 0 0 -1, NaN 1 -∞ 0 1 -1, NaN -1 -∞ -1 -1 -1",
    "1 1 1 1 1 1, 1 1 0 0 0 0, 1 1 1 1 1 1, 1 1 0 1 1 0, 1 1 0 0 1 0, 1 1 0 1 1 1",
    "1 1 1 1 1 1, 1 0 1 1 1 1, 1 0 0 0 0 0, 1 0 1 0 0 1, 1 0 1 1 0 1, 1 0 1 0 0 0",
  ),
  binary(
    "maximum",
    maximum,
    "NaN NaN NaN NaN NaN NaN, NaN ∞ ∞ ∞ ∞ ∞, NaN ∞ -∞ 0 1 -1, NaN ∞ 0 0 1 0, NaN ∞ 1 1 1 1, NaN ∞ -1 0 1 -1",
    "1 1 1 1 1 1, 1 1 1 1 1 1, 1 0 1 0 0 0, 1 0 1 1 0 1, 1 0 1 1 1 1, 1 0 1 0 0 1",
    "1 1 1 1 1 1, 1 0 0 0 0 0, 1 1 0 1 1 1, 1 1 0 0 1 0, 1 1 0 0 0 0, 1 1 0 1 1 0",
  ),
  binary("less", less, "0 0 0 0 0 0, 0 0 0 0 0 0, 0 1 0 1 1 1, 0 1 0 0 1 0, 0 1 0 0 0 0, 0 1 0 1 1 0"),
  binary("lessEqual", lessEqual, "0 0 0 0 0 0, 0 1 0 0 0 0, 0 1 1 1 1 1, 0 1 0 1 1 0, 0 1 0 0 1 0, 0 1 0 1 1 1"),
  binary("greater", greater, "0 0 0 0 0 0, 0 0 1 1 1 1, 0 0 0 0 0 0, 0 0 1 0 0 1, 0 0 1 1 0 1, 0 0 1 0 0 0"),
  binary("greaterEqual", greaterEqual, "0 0 0 0 0 0, 0 1 1 1 1 1, 0 0 1 0 0 0, 0 0 1 1 0 1, 0 0 1 1 1 1, 0 0 1 0 0 1"),
  binary("equal", equal, "0 0 0 0 0 0, 0 1 0 0 0 0, 0 0 1 0 0 0, 0 0 0 1 0 0, 0 0 0 0 1 0, 0 0 0 0 0 1"),
  binary("notEqual", notEqual, "1 1 1 1 1 1, 1 0 1 1 1 1, 1 1 0 1 1 1, 1 1 1 0 1 1, 1 1 1 1 0 1, 1 1 1 1 1 0"),
  binary(
    "where a ≠ 0 take b",
    (a, b) => select(a, b, 7),
    "NaN ∞ -∞ 0 1 -1, NaN ∞ -∞ 0 1 -1, NaN ∞ -∞ 0 1 -1, 7 7 7 7 7 7, NaN ∞ -∞ 0 1 -1, NaN ∞ -∞ 0 1 -1",
  ),
  binary(
    "where b ≠ 0 take a",
    (a, b) => select(b, a, 7),
    "NaN NaN NaN 7 NaN NaN, ∞ ∞ ∞ 7 ∞ ∞, -∞ -∞ -∞ 7 -∞ -∞, 0 0 0 7 0 0, 1 1 1 7 1 1, -1 -1 -1 7 -1 -1",
  ),
  binary(
    "meanSquaredError",
    (a, b) => meanSquaredError(reshape(a, [-1, 1]), reshape(b, [-1, 1]), "none"),
    "NaN NaN NaN NaN NaN NaN, NaN NaN ∞ ∞ ∞ ∞, NaN ∞ NaN ∞ ∞ ∞, NaN ∞ ∞ 0 1 1, NaN ∞ ∞ 1 0 4, NaN ∞ ∞ 1 4 0",
    "NaN NaN NaN NaN NaN NaN, NaN NaN ∞ ∞ ∞ ∞, NaN -∞ NaN -∞ -∞ -∞, NaN -∞ ∞ 0 -2 2, NaN -∞ ∞ 2 0 4, NaN -∞ ∞ -2 -4 0",
    "NaN NaN NaN NaN NaN NaN, NaN NaN -∞ -∞ -∞ -∞, NaN ∞ NaN ∞ ∞ ∞, NaN ∞ -∞ 0 2 -2, NaN ∞ -∞ -2 0 -4, NaN ∞ -∞ 2 4 0",
  ),
];

const twice = (scalar: Tensor) => add(toFloat(scalar), constant([0, 0]));

const rowCases: readonly NonFiniteCase[] = [
  rows("sum", (x) => sum(x, { axes: 1 }), "NaN NaN ∞ -∞ -∞ NaN ∞ NaN"),
  rows("mean", (x) => mean(x, { axes: 1 }), "NaN NaN ∞ -∞ -∞ NaN ∞ NaN"),
  rows(
    "max",
    (x) => max(x, { axes: 1 }),
    "NaN NaN ∞ 2 -∞ NaN ∞ NaN",
    "0 1 0, 1 0 0, 0 1 0, 0 0 1, 1 0 0, 0 1 0, 0 0 1, 0 0 1",
  ),
  rows("firstNonFinite of what is given", (x) => twice(firstNonFinite([x])), "23"),
  rows("firstNonFinite of what a kernel makes", (x) => twice(firstNonFinite([negate(x)])), "23"),
  rows("unpackFloat16 of packFloat16", (x) => unpackFloat16(packFloat16(x), x.shape), ROWS),
  rows("argmax", (x) => argmax(x, { axes: 1 }), "1 0 1 2 0 1 2 2"),
  rows(
    "softmax",
    softmax,
    "NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, 0.2689414 0 0.7310586, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN",
    "NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, 0 0 0, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN",
  ),
  rows(
    "logSoftmax",
    logSoftmax,
    "NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, -1.313262 -∞ -0.3132617, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN",
    "NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, 0.1931757 1 -1.193176, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN",
  ),
  rows(
    "softmaxCrossEntropy with label 0",
    crossEntropyOf(0),
    "NaN NaN NaN 1.313262 NaN NaN NaN NaN",
    "NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, -0.7310586 0 0.7310586, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN",
  ),
  rows(
    "softmaxCrossEntropy with label 1",
    crossEntropyOf(1),
    "NaN NaN NaN ∞ NaN NaN NaN NaN",
    "NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, 0.2689414 -1 0.7310586, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN",
  ),
  rows(
    "softmaxCrossEntropy with label 2",
    crossEntropyOf(2),
    "NaN NaN NaN 0.3132617 NaN NaN NaN NaN",
    "NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, 0.2689414 0 -0.2689414, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN, NaN NaN NaN",
  ),
  rows(
    "sigmoidBinaryCrossEntropy with target 0",
    sigmoidOf(0),
    "NaN ∞ NaN 0.6931472 1.313262 0.3132617",
    "NaN 1 0 0.5 0.7310586 0.2689414",
    "NaN, ∞, -∞, 0, 1, -1",
  ),
  rows(
    "sigmoidBinaryCrossEntropy with target 1",
    sigmoidOf(1),
    "NaN NaN NaN 0.6931472 0.3132617 1.313262",
    "NaN 0 -1 -0.5 -0.2689414 -0.7310586",
    "NaN, ∞, -∞, 0, 1, -1",
  ),
  rows(
    "sigmoidBinaryCrossEntropy with one-hot targets",
    sigmoidOfPair,
    "NaN NaN NaN NaN NaN ∞",
    undefined,
    "NaN 0, 0 NaN, ∞ 0, -∞ 0, 0 -∞, 0 ∞",
  ),
  rows(
    "dropped elements",
    (x) => multiply(x, dropoutMask(x.shape, 0.9999999, constant(1, [], "uint32"))),
    "NaN NaN NaN 0 0 0",
    undefined,
    POINTS,
  ),
  rows(
    "a chain of rectifiers",
    (x) => relu(elu(leakyRelu(maximum(minimum(x, 5), -5)))),
    "NaN 5 0 0 1 0",
    undefined,
    POINTS,
  ),
  ...([0, 1] as const).flatMap((axis) => [
    longRows(
      `max over ${LONG} along axis ${axis}`,
      (x) => max(x, { axes: axis }),
      axis,
      () => NaN,
    ),
    longRows(
      `argmax over ${LONG} along axis ${axis}`,
      (x) => argmax(x, { axes: axis }),
      axis,
      ([first]) => first!,
    ),
  ]),
  longRows(
    "softmaxCrossEntropy with 300 classes",
    (x) => crossEntropyOf(0)(x),
    1,
    () => NaN,
  ),
];

export const nonFiniteCases: readonly NonFiniteCase[] = [...elementwiseCases, ...pairCases, ...rowCases];
