/*
 * Tests of the tests: a derivative with the wrong sign, or a wrong result, must be detected.
 */
import { describe, expect, test } from "vitest";
import type { NumericArray } from "../../src/backends/backend.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import type { Op, Tensor } from "../../src/graph/tensor.ts";
import { negate } from "../../src/ops/elementwise/index.ts";
import { Random } from "../../src/random.ts";
import { allCases } from "./all-cases.ts";
import type { OpCase } from "./cases.ts";
import { buildCase, caseGradients, drawValues, evaluate, gradientQuestion, type BuiltCase } from "./evaluate.ts";
import { compareGradients, judge, largestDifference, LARGEST_DIFFERENCE, numericGradients } from "./gradient-check.ts";
import { check, judgeCase, scaleOf, toleranceOf, type JudgedCase } from "./parity.ts";

/**
 * Ops whose derivative is 0 everywhere, so that its sign does not matter: the step, and the softmax of a single class.
 */
const isFlat = ({ op, inputs }: Tensor) =>
  op.name === "step" || (/softmax/i.test(op.name) && inputs[0]!.shape.at(-1) === 1);

interface Mutation {
  readonly op: Op;
  readonly position: number;
  /** The node with the wrong sign; every node of the op if absent. */
  readonly node?: Tensor;
}

/** Runs `body` while an op's gradient with respect to one of its inputs has the wrong sign. */
function withFlippedSign<T>({ op: frozen, position, node }: Mutation, body: () => T): T {
  const op = frozen as { -readonly [Key in keyof Op]: Op[Key] };
  const right = op.gradient!;
  op.gradient = (other, upstream) => {
    const partials = right.call(op, other, upstream);
    if (node && other !== node) return partials;
    return partials.map((partial, place) => (place === position && partial ? negate(partial) : partial));
  };
  try {
    return body();
  } finally {
    op.gradient = right;
  }
}

/** The inputs of a node that its op gives a gradient. */
function inputsWithGradient(node: Tensor): { input: Tensor; position: number }[] {
  const partials = node.op.gradient?.(node, node) ?? [];
  return node.inputs.flatMap((input, position) => (partials[position] === undefined ? [] : [{ input, position }]));
}

/** All places of a case's graph where a gradient flows to a differentiable input. */
function mutationsOf({ output, leaves, differentiable }: BuiltCase): Required<Mutation>[] {
  const order = topologicalOrder([output]);
  const flows = new Map(order.map((node) => [node, inputsWithGradient(node)]));
  /** Nodes that a gradient could pass on its way to a differentiable input, and those that the output's gradient arrives at. */
  const reached = new Set<Tensor>(differentiable.map((name) => leaves[name]!));
  for (const node of order) if (flows.get(node)!.some(({ input }) => reached.has(input))) reached.add(node);
  const arrived = new Set<Tensor>([output]);
  for (const node of order.toReversed())
    if (arrived.has(node)) for (const { input } of flows.get(node)!) arrived.add(input);
  return order
    .filter((node) => reached.has(node) && arrived.has(node) && !isFlat(node))
    .flatMap((node) =>
      flows
        .get(node)!
        .filter(({ input }) => reached.has(input))
        .map(({ position }) => ({ op: node.op, position, node })),
    );
}

const checked = allCases.filter(({ differentiable, parityOnly }) => differentiable && !parityOnly);

describe("a derivative with the wrong sign is detected", () => {
  test.each(checked)("$name", async (opCase) => {
    const built = buildCase(opCase);
    const question = gradientQuestion(built, new Random(1));
    const numeric = await numericGradients(question);
    const mutations = mutationsOf(built);
    const mutated = new Set(mutations.map(({ node, position }) => node.inputs[position]));
    const untouched = built.differentiable.filter((name) => !mutated.has(built.leaves[name]));
    expect(topologicalOrder([built.output]).some(isFlat) ? [] : untouched).toEqual([]);
    for (const mutation of mutations) {
      const wrong = withFlippedSign(mutation, () => caseGradients(built));
      const { difference } = await compareGradients(question, wrong, numeric);
      expect(difference, `${mutation.node.op.name}, input ${mutation.position}`).toBeGreaterThan(LARGEST_DIFFERENCE);
    }
  });
});

test("for every op and input, a derivative with the wrong sign everywhere is detected by some case", async () => {
  const graphs = checked.map(buildCase);
  const nameOf = ({ op, position }: Mutation) => `${op.name}, input ${position}`;
  const unseen = new Set(graphs.flatMap(mutationsOf).map(nameOf));
  for (const built of graphs) {
    const values = drawValues(built, new Random(1), false);
    const right = await evaluate(judge, caseGradients(built), built.leaves, values);
    for (const { op, position } of mutationsOf(built)) {
      const everywhere = { op, position };
      if (!unseen.has(nameOf(everywhere))) continue;
      const wrong = withFlippedSign(everywhere, () => caseGradients(built));
      const { difference } = largestDifference(await evaluate(judge, wrong, built.leaves, values), right);
      if (difference > LARGEST_DIFFERENCE) unseen.delete(nameOf(everywhere));
    }
  }
  expect([...unseen]).toEqual([]);
});

/** The value in outputs that no kernel wrote: the poison of the GPU tests. */
const POISON = { float32: NaN, uint32: 2 ** 32 - 1, uint8: 255 };

/** A correct result: the rounded reference. */
function rightResult({ outputs, reference }: JudgedCase, output: string): NumericArray {
  const values = reference[output]!;
  return outputs[output]!.dtype === "float32" ? Float32Array.from(values) : values.slice();
}

type Spoiler = (result: NumericArray, judged: JudgedCase, output: string) => void;

const columnsOf = ({ shape }: Tensor) => shape.at(-1) ?? 1;

const spoilers: Readonly<Record<string, Spoiler>> = {
  "the last row is not written": (result, { outputs }, output) => {
    const { dtype } = outputs[output]!;
    result.fill(POISON[dtype], result.length - columnsOf(outputs[output]!));
  },
  "the last column is not written": (result, { outputs }, output) => {
    const { dtype } = outputs[output]!;
    const columns = columnsOf(outputs[output]!);
    for (let element = columns - 1; element < result.length; element += columns) result[element] = POISON[dtype];
  },
  "one element is not written": (result, { outputs }, output) => {
    result[Math.floor(result.length / 3)] = POISON[outputs[output]!.dtype];
  },
  // A bound must not be so wide that it hides an error of a thousandth of the largest value.
  "one element is a little wrong": (result, { opCase, outputs, reference }, output) => {
    let largest = 0;
    result.forEach((value, element) => {
      if (Math.abs(value) > Math.abs(result[largest]!)) largest = element;
    });
    const tolerance = toleranceOf(opCase, output);
    const whole = outputs[output]!.dtype !== "float32" || result[largest] === 0;
    const scale = tolerance === "exact" ? Math.abs(result[largest]!) : scaleOf(tolerance, reference[output]!)(largest);
    result[largest]! += whole ? 1 : scale / 1000;
  },
};

async function expectFound(opCase: OpCase): Promise<void> {
  const judged = await judgeCase(opCase, 1);
  for (const output of Object.keys(judged.outputs)) {
    check(judged, output, rightResult(judged, output));
    for (const [what, spoil] of Object.entries(spoilers)) {
      const result = rightResult(judged, output);
      spoil(result, judged, output);
      expect(() => check(judged, output, result), `${output}: ${what}`).toThrow(`${opCase.name}, ${output}: element`);
    }
    expect(() => check(judged, output, rightResult(judged, output).subarray(1))).toThrow("elements came back");
  }
}

describe("a wrong result is detected", () => {
  test.each(allCases)("$name", expectFound);
});
