/*
 * Recurrent layers, beside what PyTorch 1.13 gives in float64 for the same weights.
 */
import { describe, expect, test } from "vitest";
import { GraphError, OptionError } from "../../src/errors.ts";
import { constant, type StoredAttributes } from "../../src/graph/leaves.ts";
import { sizeOf, type Shape } from "../../src/graph/tensor.ts";
import { layers, modelFromConfig, sequential, type Layer } from "../../src/nn/index.ts";
import { evaluate } from "./run.ts";

/** sin(k), sin(2k), …, rounded to float32. */
const waves = (shape: Shape, k: number) =>
  Float32Array.from({ length: sizeOf(shape) }, (_, index) => Math.sin((index + 1) * k));

const rates: Readonly<Record<string, number>> = { weight: 0.3, recurrentWeight: 0.5, bias: 1.1, recurrentBias: 0.9 };

async function outputsOf(layer: Layer): Promise<number[]> {
  const drawn = sequential([layer], { inputShape: [3, 2] });
  const values = drawn.parameters.map(({ attributes, shape }) => {
    const { name } = attributes as StoredAttributes;
    return [name, waves(shape, rates[name.slice("layers.0.".length)]!)] as const;
  });
  const model = modelFromConfig(drawn.config, Object.fromEntries(values));
  const x = constant([...waves([2, 3, 2], 0.7)], [2, 3, 2]);
  return (await evaluate({ y: model.apply(x) })).outputs["y"]!;
}

/** [batch, length, units] of nn.GRU and nn.LSTM with two units. */
const torch = {
  gru: [
    -0.18880683208298032, -0.14631583745723753, -0.3102705363056073, 0.13697674377290753, -0.747555713988444,
    -0.16771066778249039, -0.6689877761224643, -0.6563292359990924, -0.7628234417938031, -0.5500994964444721,
    -0.7427365729075444, -0.07249758672896056,
  ],
  lstm: [
    -0.4462179166050357, -0.34579987433072285, -0.6824460251936895, -0.2605913452926282, -0.706518703573462,
    -0.23937738687039672, -0.4287952552552323, -0.38519056032068516, -0.45979985651617306, -0.4485056581434396,
    -0.6394965621414905, -0.45194458669270093,
  ],
};

describe.each([
  ["gru", layers.gru],
  ["lstm", layers.lstm],
] as const)("%s", (name, made) => {
  test("gives PyTorch's outputs of all steps, and of the last one", async () => {
    const all = await outputsOf(made(2, { sequences: true }));
    // The weights are rounded to float32.
    all.forEach((value, index) => expect(value).toBeCloseTo(torch[name][index]!, 6));
    const last = await outputsOf(made(2));
    expect(last).toEqual([...all.slice(4, 6), ...all.slice(10, 12)]);
  });

  test("draws its initial values as PyTorch does, in ±1/√units", () => {
    const { parameters } = sequential([made(25)], { inputShape: [3, 40] });
    expect(parameters).toHaveLength(4);
    for (const { attributes } of parameters) {
      const largest = Math.max(...(attributes as StoredAttributes).initial!.map(Math.abs));
      expect(largest).toBeLessThanOrEqual(0.2);
      expect(largest).toBeGreaterThan(0.18);
    }
    expect(sequential([made(25, { bias: false })], { inputShape: [3, 40] }).parameters).toHaveLength(2);
  });

  test("refuses units that are no count, and inputs that are no sequences", () => {
    expect(() => made(0)).toThrow(OptionError);
    expect(() => made(2, { sequences: 1 as never })).toThrow(`${name} sequences`);
    expect(() => sequential([made(2)], { inputShape: [4] })).toThrow(GraphError);
  });
});
