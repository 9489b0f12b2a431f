import { expect, test } from "vitest";
import { lookInside, makeNetwork, mistakesOf, trainNetwork } from "../../examples/15-convolutional-network.ts";
import { digitAt, smallDigits } from "../../examples/lib/digits.ts";
import { builtInDigits, summary } from "../../src/index.ts";
import { onBackends } from "./on-backends.ts";

const digits = builtInDigits({ train: 640, test: 200 });
const [train, held] = [smallDigits(digits.train, 640), smallDigits(digits.test, 200)];

test("has a thirtieth of the parameters of the dense network in example 12", () => {
  expect(summary(makeNetwork([28, 28]))).toMatchObject({ parameters: 5282, nonTrainable: 48 });
  expect(30 * 5282).toBeLessThan(784 * 200 + 200 + 200 * 10 + 10);
});

test("small digits are means of four pixels", () => {
  const { features } = digits.train;
  const place = 3 * 784 + 2 * 5 * 28 + 2 * 6;
  const four = [0, 1, 28, 29].map((offset) => features[place + offset]! / 255);
  expect(Math.max(...four)).toBeGreaterThan(0.05);
  expect(digitAt(train, 3)[5 * 14 + 6]).toBeCloseTo((four[0]! + four[1]! + four[2]! + four[3]!) / 4, 6);
});

onBackends("convolutional network", (backend) => {
  test("recognizes digits after 40 steps, and its maps are those of its filters and running statistics", async () => {
    const model = makeNetwork(train.shape);
    const { trainer, accuracies } = await trainNetwork(backend(), model, { train, test: held, epochs: 4 });
    expect(accuracies).toHaveLength(4);
    // 78 % on every backend. After the first epoch, the running statistics are still far from those of the weights: 14 %.
    expect(accuracies.at(-1)).toBeGreaterThan(0.72);

    const mistakes = await mistakesOf(trainer, held);
    expect(mistakes).toHaveLength(Math.round(200 * (1 - accuracies.at(-1)!)));
    expect(mistakes.every(({ index, predicted }) => predicted !== held.labels[index])).toBe(true);
    expect(mistakes[0]!.probability).toBeGreaterThan(mistakes.at(-1)!.probability);

    const pixels = digitAt(held, 7) as Float32Array;
    const { filters, maps } = await lookInside(trainer, model, pixels);
    const { parameters } = await trainer.snapshot();
    const valuesOf = (name: string) => parameters[`layers.1.${name}`]!.values;
    const [scale, shift, mean, variance] = ["weight", "bias", "runningMean", "runningVariance"].map(valuesOf);
    filters.forEach((filter, channel) => {
      const outputs = Array.from({ length: 144 }, (_, at) => {
        const first = Math.floor(at / 12) * 14 + (at % 12);
        const response = filter.reduce(
          (total, w, cell) => total + w * pixels[first + 14 * Math.floor(cell / 3) + (cell % 3)]!,
          0,
        );
        const normalized = (response - mean![channel]!) / Math.sqrt(variance![channel]! + 1e-5);
        return Math.max(0, normalized * scale![channel]! + shift![channel]!);
      });
      maps[channel]!.forEach((level, at) => {
        const corner = 2 * Math.floor(at / 6) * 12 + 2 * (at % 6);
        expect(level).toBeCloseTo(Math.max(...[0, 1, 12, 13].map((offset) => outputs[corner + offset]!)), 4);
      });
    });
    expect(maps.filter((map) => Math.max(...map) > 0.5).length).toBeGreaterThan(4);
    trainer.dispose();
  });
});
