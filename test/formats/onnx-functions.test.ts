import { describe, expect, test } from "vitest";
import { GraphError, OptionError } from "../../src/errors.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import {
  add,
  constant,
  conv2d,
  dense,
  functionalModel,
  layers,
  multiply,
  randomNormal,
  reshape,
  slice,
  type ModelFunction,
  type Tensor,
} from "../../src/index.ts";
import { expectedOutputs, functionCases, inputsFor, trainedCase, twiceUsed } from "./function-cases.ts";
import { largestDifference, runOnnxInputs } from "./onnxruntime.ts";

/** Two float32 programs differ only by the order of additions: far less than this for values near 1. */
const CLOSE = 1e-5;

async function requireSameOutputs(trained: ReturnType<typeof trainedCase>): Promise<void> {
  const file = saveOnnx(trained);
  for (const batch of [1, 4]) {
    const inputs = inputsFor(trained.model, batch);
    const expected = await expectedOutputs(trained, inputs);
    const found = await runOnnxInputs(file, inputs);
    expect(found.inputs.toSorted()).toEqual(Object.keys(inputs).toSorted());
    expect(Object.keys(found.outputs).toSorted()).toEqual(Object.keys(trained.model.outputs).toSorted());
    for (const [name, { shape, values }] of Object.entries(found.outputs)) {
      expect(shape, name).toEqual([batch, ...trained.model.outputs[name]!]);
      const scale = Math.max(1, ...expected[name]!.map(Math.abs));
      expect(largestDifference(values, expected[name]!) / scale, name).toBeLessThan(CLOSE);
    }
  }
}

describe("onnxruntime gives the same outputs as wgrad:", () => {
  test.each(Object.entries(functionCases))("%s", async (_, make) => requireSameOutputs(trainedCase(make())));

  test.each(twiceUsed)("%s, used twice", async (_, model) => requireSameOutputs(trainedCase(model)));
});

test("the weights of a shared layer are stored once", () => {
  const shared = dense(50);
  const sizeOf = (uses: number) => {
    const model = functionalModel({ inputs: { x: [40] } }, ({ x }, { use }) => ({
      y: Array.from({ length: uses }, () => use(shared, x)).reduce((sum, value) => add(sum, value)),
    }));
    return saveOnnx({ model, step: 0, training: {} }).length;
  };
  expect(sizeOf(1)).toBeGreaterThan(4 * 40 * 50);
  expect(sizeOf(3) - sizeOf(1)).toBeLessThan(500);
});

test("a chain of thousands of ops is exported", () => {
  const model = functionalModel({ inputs: { x: [2] } }, ({ x }) => ({
    y: Array.from({ length: 20_000 }).reduce<Tensor>((value) => add(value, x), x),
  }));
  expect(saveOnnx({ model, step: 0, training: {} }).length).toBeGreaterThan(20_000 * 20);
});

test("the names of classes are in the metadata", () => {
  const model = functionalModel({ inputs: { x: [2] } }, ({ x }, { use }) => ({ logits: use(dense(2), x) }));
  const file = Buffer.from(saveOnnx({ model, step: 0, training: {}, classes: ["cat", "dog"] }));
  expect(file.includes('["cat","dog"]')).toBe(true);
});

describe("an export to ONNX refuses", () => {
  const exporting = (shape: readonly number[], compute: ModelFunction<"x", string>) => () =>
    saveOnnx({ model: functionalModel({ inputs: { x: shape } }, compute), step: 0, training: {} });

  test("an op without a form, by its name", () => {
    const weights = constant(new Array<number>(9).fill(1), [3, 3, 1, 1]);
    expect(exporting([4, 4, 1], ({ x }) => ({ y: conv2d(x, weights) }))).toThrow(
      new OptionError({
        where: "ONNX",
        what: 'the model\'s function uses the op "patches", which has no form in this format',
        fix: "Use a layer that computes the same, or leave this part out of the exported function",
      }),
    );
  });

  test("random numbers in evaluation", () => {
    const noisy = exporting([4], ({ x }, { randomKey }) => ({ y: add(x, randomNormal(x.shape, randomKey())) }));
    expect(noisy).toThrow("which changes from step to step, as random numbers do. Use it only in training");
  });

  test("a function that depends on the number of examples", () => {
    expect(exporting([4], ({ x }) => ({ y: multiply(x, 1 / x.shape[0]!) }))).toThrow(
      /^model function: it computes constant float32\[\] for a batch of 2 examples and constant float32\[\] for 3/,
    );
    const shifted = exporting([4], ({ x }) => ({ y: add(x, slice(x, [{ start: -1 }])) }));
    expect(shifted).toThrow(GraphError);
    expect(shifted).toThrow("slice: an axis depends on the number of examples");
    const mixed = exporting([4], ({ x }) => ({ y: add(x, reshape(slice(reshape(x, [-1]), [{ end: 4 }]), [1, 4])) }));
    expect(mixed).toThrow("slice: an axis depends on the number of examples");
  });

  test("a layer that gets a mask, which would be lost", () => {
    const block = layers.transformerBlock({ heads: 2, hidden: 5 });
    const masked = exporting([3, 4], ({ x }, { use }) => {
      const mask = reshape(slice(x, [{}, {}, { end: 1 }]), [-1, 3]);
      return { y: use(block, x, { name: "block", mask }) };
    });
    expect(masked).toThrow("layer block: its attention gets a mask, which exported models do not have");
  });

  test("an output with the name of an input", () => {
    expect(exporting([4], ({ x }) => ({ x }))).toThrow("an input and an output have the name x");
  });
});
