/*
 * Recurrent layers, beside what PyTorch 1.13 gives in float64 for the same weights.
 */
import { describe, expect, test } from "vitest";
import { GraphError, OptionError } from "../../src/errors.ts";
import { constant, nameOf, type StoredAttributes } from "../../src/graph/leaves.ts";
import { sizeOf, type Shape, type Tensor } from "../../src/graph/tensor.ts";
import {
  functionalModel,
  layers,
  layersFromText,
  layersToText,
  modelFromConfig,
  sequential,
  startFrom,
  type Layer,
  type RecurrentLayer,
  type RecurrentState,
} from "../../src/nn/index.ts";
import { evaluate } from "./run.ts";

/** sin(k), sin(2k), …, rounded to float32. */
const waves = (shape: Shape, k: number) =>
  Float32Array.from({ length: sizeOf(shape) }, (_, index) => Math.sin((index + 1) * k));

const rates: Readonly<Record<string, number>> = {
  weight: 0.3,
  recurrentWeight: 0.5,
  bias: 1.1,
  recurrentBias: 0.9,
  reverseWeight: 0.7,
  reverseRecurrentWeight: 0.2,
  reverseBias: 1.3,
  reverseRecurrentBias: 0.4,
};

/** A wave of its own for each parameter of a layer named 0. */
const valuesOf = ({ parameters }: { readonly parameters: readonly Tensor[] }) =>
  Object.fromEntries(
    parameters.map(({ attributes, shape }) => {
      const { name } = attributes as StoredAttributes;
      return [name, waves(shape, rates[name.slice("layers.0.".length)]!)] as const;
    }),
  );

const x = constant([...waves([2, 3, 2], 0.7)], [2, 3, 2]);

async function outputsOf(layer: Layer): Promise<number[]> {
  const drawn = sequential([layer], { inputShape: [3, 2] });
  const model = modelFromConfig(drawn.config, valuesOf(drawn));
  return (await evaluate({ y: model.apply(x) })).outputs["y"]!;
}

/** The outputs of all steps, and the final state, of a layer of two directions that starts from waves. */
async function outputsFromState(layer: RecurrentLayer, names: readonly string[]) {
  const drawn = functionalModel({ inputs: { x: [3, 2], h: [4], c: [4] } }, (given, { useWithState }) => {
    const state = Object.fromEntries(names.map((name) => [name, given[name as "h"]])) as unknown as RecurrentState;
    const { output, state: final } = useWithState(layer, given.x, { state });
    return { output, ...(final as object) } as Readonly<Record<string, Tensor>>;
  });
  const values = Object.entries(valuesOf(drawn)).map(([name, own], index) => {
    return [name, { shape: drawn.parameters[index]!.shape, values: own }] as const;
  });
  const { model } = startFrom(drawn, Object.fromEntries(values));
  const [h, c] = [0.6, 0.8].map((rate) => constant([...waves([2, 4], rate)], [2, 4])) as [Tensor, Tensor];
  return (await evaluate(model.apply({ x, h, c }))).outputs;
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

/** [batch, length, 2 · units] of nn.GRU and nn.LSTM with `bidirectional=True`, and their h_n and c_n for each example. */
const torchOfBoth: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  gru: {
    output: [
      0.127785397, -0.025630664, 0.967367203, 0.81669174, -0.036209307, 0.168043491, 0.964124959, 0.800329694,
      -0.6102167, -0.172303672, 0.962097527, 0.775529354, -0.466212056, -0.659650186, 0.59864664, 0.662780377,
      -0.60815306, -0.546345903, 0.345965751, 0.319028393, -0.6131295, -0.087639744, -0.13773512, -0.134430386,
    ],
    h: [-0.6102167, -0.172303672, 0.967367203, 0.81669174, -0.6131295, -0.087639744, 0.59864664, 0.662780377],
  },
  lstm: {
    output: [
      -0.186212255, 0.210396019, 0.432770147, 0.149405762, -0.580768891, 0.213202476, 0.566778937, 0.24507927,
      -0.640299781, 0.039025091, 0.792508423, 0.4794205, -0.481453261, -0.469464504, 0.544455806, 0.356451091,
      -0.476327165, -0.459492002, 0.141818057, 0.073253262, -0.650329935, -0.45998238, -0.056201568, -0.015902949,
    ],
    h: [-0.640299781, 0.039025091, 0.432770147, 0.149405762, -0.650329935, -0.45998238, 0.544455806, 0.356451091],
    c: [-0.93019029, 0.041778195, 2.642025843, 2.123972907, -1.884303843, -0.713717253, 0.689576363, 0.654828328],
  },
};

const reversed = ["reverseWeight", "reverseRecurrentWeight", "reverseBias", "reverseRecurrentBias"];

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

  test("in two directions gives PyTorch's outputs and states, from given states", async () => {
    const wanted = torchOfBoth[name]!;
    const names = Object.keys(wanted).filter((part) => part !== "output");
    const found = await outputsFromState(made(2, { sequences: true, bidirectional: true }), names);
    expect(Object.keys(found).toSorted()).toEqual(Object.keys(wanted).toSorted());
    for (const [part, values] of Object.entries(wanted)) {
      values.forEach((value, index) => expect(found[part]![index], part).toBeCloseTo(value, 6));
    }
    // Without sequences, the output is the h of both directions.
    const last = await outputsFromState(made(2, { bidirectional: true }), names);
    expect(last).toEqual({ ...found, output: found["h"] });
  });

  test("keeps its config of one direction, and is read without the option", () => {
    const [one, both] = [made(2), made(2, { bidirectional: true })];
    expect(one.config).toEqual({ type: name, units: 2, sequences: false, bias: true });
    expect(both.config).toEqual({ ...one.config, bidirectional: true });
    for (const [layer, names] of [
      [one, ["weight", "recurrentWeight", "bias", "recurrentBias"]],
      [both, ["weight", "recurrentWeight", "bias", "recurrentBias", ...reversed]],
    ] as const) {
      const model = sequential([layer], { inputShape: [3, 2] });
      expect(model.parameters.map(nameOf)).toEqual(names.map((own) => `layers.0.${own}`));
      expect(modelFromConfig(model.config).config).toEqual(model.config);
      const text = layersToText([layer.config])!;
      expect(text).toBe(layer === one ? `${name} 2` : `${name} 2 bidirectional=true`);
      expect(layersFromText(text)[0]!.config).toEqual(layer.config);
    }
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
    expect(() => made(2, { bidirectional: "yes" as never })).toThrow(`${name} bidirectional`);
    expect(() => sequential([made(2)], { inputShape: [4] })).toThrow(GraphError);
  });
});
