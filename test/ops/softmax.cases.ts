import { logSoftmax, softmax, softmaxCrossEntropyPerExample } from "../../src/ops/softmax/index.ts";
import type { Shape } from "../../src/graph/tensor.ts";
import { logError, ulp } from "./accuracy.ts";
import { integersBelow, opCase, uniform, type OpCase, type Tolerance } from "./cases.ts";

/**
 * e^d / total for d ≤ 0, relative to the largest probability. The 3 + 2|d| ULP of e^d never exceed 3 ULP of 1, the
 * total inherits as much, and the division adds 2.5 ULP: 17 · 2⁻²⁴ in all, which 4 √18 covers.
 */
const probabilityTolerance = (classes: number): Tolerance => ({ c: 4, joined: Math.max(classes, 18) });

/** log(total), where 1 ≤ total ≤ classes, and the total has the 3 ULP of its exponentials. */
const logTotalError = (classes: number) => () => Math.max(logError(1), logError(classes)) + 3 * ulp(1);

interface Logits {
  readonly shape: Shape;
  /** Logits are drawn from −range to range. */
  readonly range: number;
  readonly parityOnly: boolean;
}

const checked = (...shape: number[]): Logits => ({ shape, range: 4, parityOnly: false });
const compared = (range: number, ...shape: number[]): Logits => ({ shape, range, parityOnly: true });

const describe = (op: string, { shape, range }: Logits) => `${op} of [${shape.join(", ")}], logits to ±${range}`;
const inputOf = ({ shape, range }: Logits) => ({ shape, draw: uniform(-range, range) });

// [17, 10] and [3, 1000] occur twice: other numbers for the same kernels need no compilation.
const common = [
  checked(3, 1),
  checked(5, 10),
  compared(8, 3, 1000),
  compared(1e4, 3, 1000),
  compared(8, 17, 10),
  compared(1e4, 17, 10),
];
const shapes = [...common, checked(3, 2), checked(17), checked(2, 3, 4), compared(8, 129, 2), compared(1e4, 257, 1)];

const probabilities = shapes.map((logits): OpCase => {
  const classes = logits.shape.at(-1)!;
  return opCase({
    name: describe("softmax", logits),
    covers: ["softmax"],
    inputs: { logits: inputOf(logits) },
    build: ({ logits: z }) => softmax(z),
    differentiable: { logits: classes },
    tolerance: probabilityTolerance(classes),
    // A gradient is about as large as a probability, and 0 if one probability is 1.
    gradientTolerance: { term: 1 / classes },
    parityOnly: logits.parityOnly,
  });
});

const logarithms = common.map((logits): OpCase => {
  const classes = logits.shape.at(-1)!;
  return opCase({
    name: describe("logSoftmax", logits),
    covers: ["logSoftmax"],
    inputs: { logits: inputOf(logits) },
    build: ({ logits: z }) => logSoftmax(z),
    differentiable: { logits: classes },
    tolerance: { c: 4, functionError: logTotalError(classes) },
    gradientTolerance: { c: 4, joined: Math.max(classes, 18), term: 1 },
    parityOnly: logits.parityOnly,
  });
});

const crossEntropies = [...common, checked(3, 2)].map((logits): OpCase => {
  const [examples, classes] = logits.shape as [number, number];
  return opCase({
    name: describe("softmaxCrossEntropyPerExample", logits),
    covers: ["softmaxCrossEntropyPerExample"],
    inputs: { logits: inputOf(logits), labels: { shape: [examples], dtype: "uint32", draw: integersBelow(classes) } },
    build: ({ logits: z, labels }) => softmaxCrossEntropyPerExample(z, labels),
    differentiable: { logits: 1 },
    tolerance: { c: 4, joined: classes, functionError: logTotalError(classes) },
    // The gradient is a probability, minus 1 at the label, and 0 if the label's probability is 1.
    gradientTolerance: { joined: classes, term: 1 / classes },
    parityOnly: logits.parityOnly,
  });
});

export const cases: readonly OpCase[] = [...probabilities, ...logarithms, ...crossEntropies];
