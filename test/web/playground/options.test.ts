/*
 * What the Playground offers beside the layers: inputs, regularization, the share of training points, and edited weights.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Backend } from "../../../src/index.ts";
import { EXTENT } from "../../../src/web/playground/settings.ts";
import { acquireWasmBackend } from "../../wasm.ts";
import { PLANE_SIDE, CURVE_POINTS } from "../../../src/web/playground/contract.ts";
import { configOf, listen, pictureIndex } from "./listen.ts";

let backend: Backend;
let playground: ReturnType<typeof listen>;
beforeAll(async () => (backend = await acquireWasmBackend()));
beforeEach(() => (playground = listen(backend)));
afterAll(() => backend.dispose());

/** A network without hidden layers, trained with all points and plain gradient descent. */
const direct = { noise: 0, layers: [], optimizer: "sgd", batch: 1024 } as const;

test("with the product xy as its only input, a single unit separates XOR", async () => {
  await playground.api.configure(configOf("classify", { ...direct, data: "xor", features: ["xy"], learningRate: 3 }));
  const end = await playground.trainUntil(({ accuracy, step }) => accuracy === 1 || step > 200);
  expect(end.accuracy).toBe(1);
  expect(end.testAccuracy).toBe(1);
  // Class 1 is where the signs differ.
  const [weight, bias] = [end.weights[0]![0]!, end.biases[0]![0]!];
  expect(weight).toBeLessThan(0);
  const [x, y] = [PLANE_SIDE - 1, 0].map((place) => EXTENT * ((2 * place) / (PLANE_SIDE - 1) - 1));
  const probability = 1 / (1 + Math.exp(-(weight * x! * y! + bias)));
  expect(end.outputs[pictureIndex(x!, y!)]).toBeCloseTo(probability, 5);
});

test("with x, x² and x³ as inputs, a single unit finds the coefficients of the polynomial", async () => {
  const features = ["x", "xx", "xxx"] as const;
  const settings = { ...direct, data: "polynomial", features, optimizer: "adam", learningRate: 0.1 } as const;
  await playground.api.configure(configOf("regress", settings));
  const end = await playground.trainUntil(({ loss, step }) => loss < 1e-7 || step > 4000);
  [-1.1, -0.4, 1.8].forEach((coefficient, index) => expect(end.weights[0]![index]).toBeCloseTo(coefficient, 2));
  expect(end.biases[0]![0]).toBeCloseTo(0.1, 2);
  expect(end.outputs).toHaveLength(CURVE_POINTS);
});

test("L1 sets the weights of useless inputs to 0, and L2 only makes them smaller", async () => {
  const features = ["x", "y", "xx", "yy", "xy"] as const;
  const settings = { ...direct, data: "circles", features, learningRate: 1, regularizationRate: 0.03 } as const;
  const weightsWith = async (regularization: "none" | "l1" | "l2") => {
    await playground.api.configure(configOf("classify", { ...settings, regularization }));
    await playground.api.reset();
    const end = await playground.trainUntil(({ step }) => step >= 150);
    expect(end.accuracy).toBe(1);
    return [...end.weights[0]!];
  };
  const [x, y, xx, yy, xy] = await weightsWith("l1");
  expect([x, y, xy]).toEqual([0, 0, 0]);
  // The inner circle is class 1.
  expect(xx).toBeLessThan(-0.5);
  expect(yy).toBeLessThan(-0.5);
  const norm = (values: number[]) => Math.hypot(...values);
  const [plain, decayed] = [await weightsWith("none"), await weightsWith("l2")];
  expect(decayed.every((value) => value !== 0)).toBe(true);
  expect(norm(decayed)).toBeLessThan(0.7 * norm(plain));
});

test("the share divides the points between training and test, and keeps those that stay", async () => {
  const pointsWith = async (share: number) => {
    await playground.api.configure(configOf("classify", { ...direct, count: 50, share }));
    return playground.events.filter((event) => event.kind === "problem").at(-1)!.problem;
  };
  const [few, half, many] = [await pointsWith(10), await pointsWith(50), await pointsWith(90)];
  expect([few, half, many].map(({ points, test: rows }) => [points.length / 3, rows.length / 3])).toEqual([
    [10, 90],
    [50, 50],
    [90, 10],
  ]);
  expect(many.points.slice(0, half.points.length)).toEqual(half.points);
  expect(few.test.slice(0, many.test.length)).toEqual(many.test);
});

test("an edited weight or bias changes the output from then on, and training continues with it", async () => {
  const layers = [{ units: 2, activation: "tanh" }] as const;
  await playground.api.configure(configOf("classify", { ...direct, layers }));
  await playground.api.setParameter({ layer: 0, unit: 1, input: 0 }, 1.5);
  await playground.api.setParameter({ layer: 0, unit: 1 }, -0.25);
  await playground.api.setParameter({ layer: 1, unit: 0, input: 1 }, 4);
  // There is no third unit.
  await playground.api.setParameter({ layer: 1, unit: 0, input: 2 }, 4);
  const { weights, biases, outputs, step } = playground.last();
  expect(step).toBe(0);
  expect([weights[0]![1], biases[0]![1], weights[1]![1]]).toEqual([1.5, -0.25, 4]);
  const [x, y] = [EXTENT, -EXTENT];
  const sums = [0, 1].map((unit) => weights[0]![unit]! * x + weights[0]![2 + unit]! * y + biases[0]![unit]!);
  const sum = sums.reduce((total, value, unit) => total + Math.tanh(value) * weights[1]![unit]!, biases[1]![0]!);
  expect(outputs[pictureIndex(x, y)]).toBeCloseTo(1 / (1 + Math.exp(-sum)), 5);
  await playground.api.step();
  expect(playground.last().step).toBe(1);
  // One step of gradient descent changes a weight by little.
  expect(Math.abs(playground.last().weights[1]![1]! - 4)).toBeLessThan(0.1);
});

test("with two outputs, an edited weight is the difference of both", async () => {
  await playground.api.configure(configOf("classify", { ...direct, loss: "softmaxCrossEntropy" }));
  const before = playground.last().weights[0]!;
  await playground.api.setParameter({ layer: 0, unit: 0, input: 1 }, 2);
  const after = playground.last().weights[0]!;
  expect(after[3]! - after[2]!).toBeCloseTo(2, 6);
  expect(after[3]! + after[2]!).toBeCloseTo(before[3]! + before[2]!, 6);
  expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
});

test("epochs count the batch size that each step had", async () => {
  const settings = { ...direct, count: 40 };
  await playground.api.configure(configOf("classify", { ...settings, batch: 8 }));
  for (let step = 0; step < 3; step++) await playground.api.step();
  expect(playground.last().epoch).toBeCloseTo(3 / 5, 10);
  await playground.api.configure(configOf("classify", { ...settings, batch: 1024 }));
  expect(playground.last().epoch).toBeCloseTo(3 / 5, 10);
  await playground.api.step();
  expect(playground.last().epoch).toBeCloseTo(8 / 5, 10);
  await playground.api.reset();
  expect(playground.last().epoch).toBe(0);
});
