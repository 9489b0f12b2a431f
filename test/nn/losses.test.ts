import { describe, expect, test } from "vitest";
import { GraphError, OptionError } from "../../src/errors.ts";
import { constant } from "../../src/graph/leaves.ts";
import { accuracy, bitsPerCharacter, losses, perplexity, type ClassificationLoss } from "../../src/nn/index.ts";
import { requireOutputs } from "../../src/nn/losses.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { evaluate } from "./run.ts";

const labels = constant([2, 0, 1], [3], "uint32");
const outputs = constant([0.1, 0.2, 0.9, 0.3, 0.8, 0.1, -1, 2, 2], [3, 3]);
const binaryLabels = constant([1, 0, 1], [3], "uint32");
const single = constant([0.25, -0.5, 0.75], [3, 1]);

async function both(loss: ClassificationLoss, y = outputs, classes = labels) {
  const found = await evaluate({ loss: loss.perExample(y, classes), correct: loss.correct(y, classes) });
  return found.outputs;
}

const entropy = (z: number[], label: number) =>
  Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0)) - z[label]!;
const logistic = (z: number, target: number) => Math.log(1 + Math.exp(z)) - z * target;

function expectClose(found: number[] | undefined, wanted: number[]) {
  expect(found!.length).toBe(wanted.length);
  found!.forEach((value, index) => expect(value).toBeCloseTo(wanted[index]!, 13));
}

describe("losses of class labels", () => {
  test("softmax cross-entropy; among equal outputs the first is the prediction", async () => {
    const found = await both(losses.softmaxCrossEntropy);
    expectClose(found.loss, [entropy([0.1, 0.2, 0.9], 2), entropy([0.3, 0.8, 0.1], 0), entropy([-1, 2, 2], 1)]);
    expect(found.correct).toEqual([1, 0, 1]);
  });

  test("squared losses with one-hot targets", async () => {
    const squares = [0.01 + 0.04 + 0.01, 0.49 + 0.64 + 0.01, 1 + 1 + 4];
    expectClose(
      (await both(losses.meanSquaredError)).loss,
      squares.map((value) => value / 3),
    );
    expectClose(
      (await both(losses.halfSumOfSquares)).loss,
      squares.map((value) => value / 2),
    );
  });

  test("sigmoid cross-entropy with one-hot targets", async () => {
    const { loss } = await both(losses.sigmoidBinaryCrossEntropy);
    expect(loss![0]).toBeCloseTo(logistic(0.1, 0) + logistic(0.2, 0) + logistic(0.9, 1), 13);
  });

  test("one output for two classes: the threshold is 0 for logits and one half for squared losses", async () => {
    const logits = await both(losses.sigmoidBinaryCrossEntropy, single, binaryLabels);
    expectClose(logits.loss, [logistic(0.25, 1), logistic(-0.5, 0), logistic(0.75, 1)]);
    expect(logits.correct).toEqual([1, 1, 1]);
    const squares = await both(losses.meanSquaredError, single, binaryLabels);
    expectClose(squares.loss, [0.75 ** 2, 0.25, 0.0625]);
    expect(squares.correct).toEqual([0, 1, 1]);
  });

  test("refuses outputs that do not match the classes", () => {
    const tooFew = () => requireOutputs(losses.softmaxCrossEntropy, [5], 10);
    expect(tooFew).toThrow(/output is \[5\] but the data has 10 classes.*dense\(10\)/);
    expect(() => requireOutputs(losses.softmaxCrossEntropy, [1], 2)).toThrow(OptionError);
    expect(() => requireOutputs(losses.sigmoidBinaryCrossEntropy, [1], 3)).toThrow(OptionError);
    expect(() => requireOutputs(losses.sigmoidBinaryCrossEntropy, [2, 2], 2)).toThrow(OptionError);
    expect(() => requireOutputs(losses.sigmoidBinaryCrossEntropy, [1], 2)).not.toThrow();
    expect(() => accuracy(outputs, constant([1, 2], [2], "uint32"))).toThrow(GraphError);
  });
});

describe("the cross-entropy of positions", () => {
  const rows = [
    [0.1, 0.2, 0.9],
    [0.3, 0.8, 0.1],
    [-1, 2, 2],
    [0.5, 0.5, -2],
  ];
  const logits = constant(rows.flat(), [2, 2, 3]);
  const tokens = (...values: number[]) => constant(values, [2, 2], "uint32");
  const each = rows.map((row, index) => entropy(row, [2, 0, 1, 0][index]!));

  test("is the mean over all positions, or each one's", async () => {
    const { outputs: found } = await evaluate({
      mean: softmaxCrossEntropy(logits, tokens(2, 0, 1, 0)),
      none: softmaxCrossEntropy(logits, tokens(2, 0, 1, 0), "none"),
    });
    expectClose(found["mean"], [each.reduce((total, value) => total + value, 0) / 4]);
    expectClose(found["none"], each);
  });

  test("does not count the positions with the label to ignore, which may be no class", async () => {
    for (const ignore of [1, 99]) {
      const labelsOf = tokens(2, 0, ignore, 0);
      const { outputs: found } = await evaluate({
        mean: softmaxCrossEntropy(logits, labelsOf, { ignore }),
        sum: softmaxCrossEntropy(logits, labelsOf, { ignore, reduction: "sum" }),
        gradient: gradients(softmaxCrossEntropy(logits, labelsOf, { ignore }), [logits])[0],
      });
      const counted = each[0]! + each[1]! + each[3]!;
      expectClose(found["mean"], [counted / 3]);
      expectClose(found["sum"], [counted]);
      expect(found["gradient"]!.slice(6, 9).map(Math.abs)).toEqual([0, 0, 0]);
    }
  });

  test("refuses labels and weights of another shape", () => {
    expect(() => softmaxCrossEntropy(logits, constant([1, 2], [2], "uint32"))).toThrow(GraphError);
    expect(() => softmaxCrossEntropy(logits, tokens(0, 0, 0, 0), { weights: constant([1, 1]) })).toThrow(GraphError);
    expect(() => softmaxCrossEntropy(logits, logits, { ignore: 0 })).toThrow(GraphError);
  });
});

test("perplexity and bits per character of a loss in nats", () => {
  expect(perplexity(Math.log(65))).toBeCloseTo(65, 12);
  expect(bitsPerCharacter(Math.LN2)).toBe(1);
  expect(bitsPerCharacter(2 * Math.LN2, 0.25)).toBe(0.5);
  expect(() => bitsPerCharacter(1, 0)).toThrow(OptionError);
});
