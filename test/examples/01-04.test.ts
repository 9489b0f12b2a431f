import { expect, test } from "vitest";
import { gates, outputs } from "../../examples/01-neuron.ts";
import { planeStart, separablePoints, train, workedCase, workedStart } from "../../examples/02-perceptron.ts";
import { network, perceptron } from "../../examples/03-xor.ts";
import { closedForm, composition, product } from "../../examples/04-chain-rule.ts";
import { onBackends } from "./on-backends.ts";

onBackends("neuron", (backend) => {
  test("computes AND and OR with fixed weights", async () => {
    expect(await outputs(backend(), gates.AND)).toEqual([0, 0, 0, 1]);
    expect(await outputs(backend(), gates.OR)).toEqual([0, 1, 1, 1]);
  });
});

onBackends("perceptron", (backend) => {
  test("solves the worked case in one update: w = 0.7, c = −0.9", async () => {
    const [before, after, ...more] = await train(backend(), workedCase, workedStart, 10);
    expect(before).toEqual({ weights: [0.5], bias: -1, mistakes: 1 });
    expect(after!.mistakes).toBe(0);
    expect(after!.weights[0]).toBeCloseTo(0.7, 6);
    expect(after!.bias).toBeCloseTo(-0.9, 6);
    expect(more).toEqual([]);
  });

  test("separates linearly separable points without a mistake", async () => {
    const samples = separablePoints();
    const epochs = await train(backend(), samples, planeStart, 100);
    expect(epochs[0]!.mistakes).toBeGreaterThan(10);
    expect(epochs.at(-1)!.mistakes).toBe(0);
    const {
      weights: [first, second],
      bias,
    } = epochs.at(-1)!;
    samples.classes.forEach((one, index) => {
      const z = first! * samples.features[2 * index]! + second! * samples.features[2 * index + 1]! + bias;
      expect(Math.sign(z)).toBe(one);
    });
  });
});

onBackends("xor", (backend) => {
  test("is learned by a network with a hidden layer, but not by the perceptron", async () => {
    const epochs = await perceptron(backend(), 60);
    expect(epochs).toHaveLength(61);
    expect(Math.min(...epochs.map(({ mistakes }) => mistakes))).toBeGreaterThanOrEqual(1);
    const { correct, probabilities } = await network(backend(), 100);
    expect(correct.at(-1)).toBe(4);
    [0, 1, 1, 0].forEach((label, index) => expect(Math.abs(probabilities[index]! - label)).toBeLessThan(0.05));
  });
});

onBackends("chain rule", (backend) => {
  test("gives the gradients computed by hand: 4, 4 and 5, and the closed form for (2x − 1)²", async () => {
    expect(await product(backend())).toEqual({ z: 20, dx: 4, dy: 4, dw: 5 });
    const places = [-1.5, -1, 0.5, 2, 3];
    const { value, slope } = await composition(backend(), places);
    // All of these are exact in float32.
    expect(value).toEqual(places.map((x) => (2 * x - 1) ** 2));
    expect(slope).toEqual(places.map(closedForm));
  });
});
