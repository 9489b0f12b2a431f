/*
 * Initial and final states of recurrent layers in functional models.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { GraphError, OptionError } from "../../src/errors.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import { initialValues, loadModel, saveModel } from "../../src/formats/model.ts";
import { pytorchCode } from "../../src/formats/pytorch.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input, nameOf } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import {
  dense,
  functionalModel,
  layers,
  startFrom,
  toSequential,
  type FunctionalModel,
  type GruState,
  type LayerApplyOptions,
  type LstmState,
  type ModelFunction,
  type RecurrentLayer,
} from "../../src/index.ts";
import { add, square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { concat, slice } from "../../src/ops/indexing/index.ts";
import { mean, sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../backends.ts";
import { compareGradients, LARGEST_DIFFERENCE, numericGradients } from "../ops/gradient-check.ts";
import { evaluate } from "./run.ts";

const { gru, lstm } = layers;

const [BATCH, LENGTH, WIDTH] = [2, 5, 3];

function drawn(count: number, seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.uniform(-1, 1));
}

const x = constant(drawn(BATCH * LENGTH * WIDTH, 1), [BATCH, LENGTH, WIDTH]);

/** An encoder in both directions whose final state starts a decoder. */
const functionOf =
  (kind: "gru" | "lstm"): ModelFunction<"x" | "y"> =>
  (given, { use, useWithState }): Readonly<Record<string, Tensor>> => {
    const sequences = true;
    if (kind === "gru") {
      const { state } = useWithState(gru(2, { bidirectional: true }), given.x, "encoder");
      return { y: use(gru(4, { sequences }), given.y, { name: "decoder", state }) };
    }
    const { output, state } = useWithState(lstm(2, { bidirectional: true, sequences }), given.x, "encoder");
    const decoded = useWithState(lstm(4, { sequences }), given.y, { name: "decoder", state });
    return { y: decoded.output, encoded: output, c: decoded.state.c };
  };

const translator = (kind: "gru" | "lstm") =>
  functionalModel({ inputs: { x: [LENGTH, WIDTH], y: [3, 2] }, seed: 4 }, functionOf(kind));

const inputsOf = () => ({ x: input("x", [BATCH, LENGTH, WIDTH]), y: input("y", [BATCH, 3, 2]) });

const lossOf = (model: ReturnType<typeof translator>, given: Readonly<Record<"x" | "y", Tensor>>) =>
  Object.values(model.apply(given))
    .map((output) => mean(square(output)))
    .reduce((total, one) => add(total, one));

describe.each(["gru", "lstm"] as const)("an encoder and a decoder of %s", (kind) => {
  test("have the gradients of central differences", async () => {
    const model = translator(kind);
    const given = inputsOf();
    const loss = lossOf(model, given);
    const names = model.parameters.map(nameOf);
    const leaves: Record<string, Tensor> = {
      ...given,
      ...Object.fromEntries(model.parameters.map((own) => [nameOf(own), own])),
    };
    const values = Object.fromEntries(
      Object.entries(leaves).map(([name, leaf], index) => [name, Float64Array.from(drawn(leaf.size, index))]),
    );
    const question = { loss, leaves, values, names: ["x", "y", ...names] };
    const slopes = gradients(
      loss,
      question.names.map((name) => leaves[name]!),
    );
    const found = Object.fromEntries(question.names.map((name, index) => [name, slopes[index]!]));
    const worst = await compareGradients(question, found, await numericGradients(question));
    expect(worst.difference, JSON.stringify(worst)).toBeLessThanOrEqual(LARGEST_DIFFERENCE);
  });

  describe.each(backends)("on $name", ({ create }) => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await create();
    });
    afterAll(() => backend.dispose());

    test("have the outputs and gradients of the reference", async () => {
      const model = translator(kind);
      const given = inputsOf();
      const values = { x: drawn(given.x.size, 6), y: drawn(given.y.size, 7) };
      const constants = { x: constant(values.x, given.x.shape), y: constant(values.y, given.y.shape) };
      const graphOf = (own: Readonly<Record<"x" | "y", Tensor>>) => {
        const loss = lossOf(model, own);
        const slopes = gradients(loss, model.parameters).map((slope, index) => [`slope${index}`, slope] as const);
        return { ...model.apply(own), ...Object.fromEntries(slopes) };
      };
      const wanted = (await evaluate(graphOf(constants))).outputs;
      const session = backend.createSession();
      const executable = await session.compile(defineGraph(graphOf(given)));
      for (const name of ["x", "y"] as const) session.write(given[name], Float32Array.from(values[name]));
      await executable.run(0, 1);
      for (const [name, expected] of Object.entries(wanted)) {
        const found = await executable.read(name);
        // The longest sums are those of a weight's gradient, over all steps of all examples.
        const bound = 16 * 2 ** -24 * Math.sqrt(BATCH * LENGTH) * Math.max(1, ...expected.map(Math.abs));
        expected.forEach((value, index) => expect(Math.abs(found[index]! - value), name).toBeLessThan(bound));
      }
    });
  });
});

test("the gradient of a tensor that is both parts of a state is the sum of both", async () => {
  const s = input("s", [BATCH, 2]);
  const model = functionalModel({ inputs: { x: [LENGTH, WIDTH], s: [2] }, seed: 3 }, (given, { use }) => ({
    y: use(lstm(2), given.x, { state: { h: given.s, c: given.s } }),
  }));
  const loss = mean(square(model.apply({ x, s }).y));
  const question = { loss, leaves: { s }, values: { s: Float64Array.from(drawn(s.size, 5)) }, names: ["s"] };
  const worst = await compareGradients(question, { s: gradients(loss, [s])[0] }, await numericGradients(question));
  expect(worst.difference, JSON.stringify(worst)).toBeLessThanOrEqual(LARGEST_DIFFERENCE);
});

test.each([
  ["gru", gru(4, { sequences: true }) as RecurrentLayer],
  ["lstm", lstm(4, { sequences: true }) as RecurrentLayer],
])(
  "a sequence in two parts, of which the state of one starts the other, has the outputs of the whole: %s",
  async (_, layer) => {
    const model = functionalModel({ inputs: { x: [LENGTH, WIDTH] }, seed: 3 }, (given, { use, useWithState }) => {
      const first = useWithState(layer, slice(given.x, [{}, { end: 2 }]), "layer");
      const second = useWithState(layer, slice(given.x, [{}, { start: 2 }]), { state: first.state });
      const whole = useWithState(layer, given.x);
      expect(second.output.shape).toEqual([given.x.shape[0], 3, 4]);
      const ends = [second, whole].map(({ state }) => concat(Object.values(state) as Tensor[], 1));
      return {
        parts: concat([first.output, second.output], 1),
        whole: whole.output,
        plain: use(layer, given.x),
        end: ends[0]!,
        wholeEnd: ends[1]!,
      };
    });
    const { outputs } = await evaluate(model.apply({ x }));
    const same = (found: string, wanted: string) =>
      outputs[wanted]!.forEach((value, index) => expect(outputs[found]![index]).toBeCloseTo(value, 12));
    same("parts", "whole");
    same("plain", "whole");
    same("end", "wholeEnd");
  },
);

test("a state may be an input and an output, so that a host computes one step after another", async () => {
  const whole = functionalModel({ inputs: { x: [LENGTH, WIDTH] }, seed: 3 }, (given, { use }) => ({
    y: use(lstm(4, { sequences: true }), given.x, "layer"),
  }));
  const drawnStep = functionalModel(
    { inputs: { x: [1, WIDTH], h: [4], c: [4] }, seed: 8 },
    (given, { useWithState }) => {
      const { h, c } = given;
      const { output, state } = useWithState(lstm(4), given.x, { name: "layer", state: { h, c } });
      return { y: output, ...state };
    },
  );
  const { model, missing, unused } = startFrom(drawnStep, initialValues(whole));
  expect([missing, unused]).toEqual([[], []]);
  const wanted = (await evaluate(whole.apply({ x }))).outputs["y"]!;
  let state = { h: new Array<number>(BATCH * 4).fill(0), c: new Array<number>(BATCH * 4).fill(0) };
  for (let step = 0; step < LENGTH; step++) {
    const { outputs } = await evaluate(
      model.apply({
        x: slice(x, [{}, { start: step, end: step + 1 }]),
        h: constant(state.h, [BATCH, 4]),
        c: constant(state.c, [BATCH, 4]),
      }),
    );
    outputs["y"]!.forEach((value, index) => {
      const [example, unit] = [Math.floor(index / 4), index % 4];
      expect(value).toBeCloseTo(wanted[(example * LENGTH + step) * 4 + unit]!, 6);
    });
    state = { h: outputs["h"]!, c: outputs["c"]! };
  }
});

describe("a custom layer with a state", () => {
  /** The sum of all positions and of the state before them. */
  const total = (shapeOf: (sum: Tensor) => Tensor): RecurrentLayer<GruState> => ({
    config: { type: "total" },
    build: ({ inputShape }) => {
      const applyWithState = (own: Tensor, { state }: LayerApplyOptions) => {
        const ofPositions = sum(own, { axes: 1 });
        const h = state ? add(ofPositions, state.h) : ofPositions;
        return { output: shapeOf(h), state: { h } };
      };
      return { outputShape: inputShape.slice(1), applyWithState, apply: (...given) => applyWithState(...given).output };
    },
  });
  const twice = (layer: RecurrentLayer<GruState>) =>
    functionalModel({ inputs: { x: [LENGTH, WIDTH] } }, (given, { useWithState }) => {
      const { state } = useWithState(layer, given.x);
      return { y: useWithState(layer, given.x, { state }).output };
    });

  test("gets and returns it", async () => {
    const { outputs } = await evaluate({
      y: twice(total((h) => h)).apply({ x }).y,
      wanted: sum(add(x, x), { axes: 1 }),
    });
    outputs["wanted"]!.forEach((value, index) => expect(outputs["y"]![index]).toBeCloseTo(value, 12));
  });

  test("must return outputs of its shape", () => {
    const message = /^layer 0, total: it returns .*, but its outputShape promises \[batch, 3\]/;
    expect(() => twice(total((h) => slice(h, [{}, { end: 1 }])))).toThrow(message);
  });
});

describe("a state is refused", () => {
  const withState = (layer: unknown, state: unknown) => () =>
    functionalModel({ inputs: { x: [LENGTH, WIDTH], h: [4] } }, ({ x: own, h }, { use }) => ({
      y: use(layer as RecurrentLayer, own, { name: "own", state: state === undefined ? { h } : (state as GruState) }),
    }));
  const h = constant(new Array(4).fill(0), [1, 4]);

  test("by layers that are not recurrent, also if they contain one", () => {
    for (const layer of [dense(4), layers.sequential([gru(4)])]) {
      expect(withState(layer, undefined)).toThrow(GraphError);
      expect(withState(layer, undefined)).toThrow(
        /^layer own, .*: it is given a state, or asked for one, but is not recurrent/,
      );
    }
    expect(() =>
      functionalModel({ inputs: { x: [WIDTH] } }, (given, { useWithState }) => ({
        y: useWithState(dense(2) as RecurrentLayer, given.x).output,
      })),
    ).toThrow(/^layer 0, dense: .* is not recurrent/);
  });

  test("with other names than the layer's, or another shape, naming the layer", () => {
    expect(withState(lstm(4), undefined)).toThrow(
      "layer own, lstm: its state is { h }. Give { h, c }, float32[1, 4] each.",
    );
    expect(withState(gru(4), { h, c: h } satisfies LstmState)).toThrow("its state is { h, c }. Give { h }");
    expect(withState(gru(4), h)).toThrow("layer own, gru: its state is constant float32[1, 4]");
    expect(withState(gru(3), undefined)).toThrow(
      "layer own, gru: the h of its state is h float32[1, 4]. Give { h }, float32[1, 3] each.",
    );
    expect(withState(gru(4, { bidirectional: true }), undefined)).toThrow("float32[1, 8] each.");
    expect(withState(gru(4), { h: [0, 0, 0, 0] })).toThrow(GraphError);
  });
});

describe("a model with states", () => {
  const models: readonly (readonly [string, FunctionalModel, string])[] = [
    [
      "gets one",
      functionalModel({ inputs: { x: [LENGTH, WIDTH], h: [4] } }, ({ x: own, h }, { use }) => ({
        y: use(gru(4), own, { name: "own", state: { h } }),
      })) as FunctionalModel,
      "layer own: it gets a state, which exported models do not have. Export a model without states.",
    ],
    [
      "returns one",
      functionalModel({ inputs: { x: [LENGTH, WIDTH] } }, (given, { useWithState }) => ({
        y: useWithState(lstm(4), given.x, "own").state.c,
      })) as FunctionalModel,
      "layer own: its final state is used, which exported models do not have. Export a model without states.",
    ],
  ];

  test.each(models)("that %s is not exported, also after startFrom", (_, model, message) => {
    for (const own of [model, startFrom(model, initialValues(model)).model]) {
      const trained = { model: own, step: 0, training: {} };
      for (const write of [() => saveOnnx(trained), () => pytorchCode(trained, "f")]) {
        expect(write).toThrow(OptionError);
        expect(write).toThrow(message);
      }
    }
  });

  test("whose state is not used is exported", () => {
    const model = functionalModel({ inputs: { x: [LENGTH, WIDTH] } }, (given, { useWithState }) => ({
      y: useWithState(lstm(4), given.x, "own").output,
    }));
    expect(saveOnnx({ model, step: 0, training: {} }).length).toBeGreaterThan(0);
  });

  test("is no chain of layers", () => {
    const model = functionalModel({ inputs: { x: [LENGTH, WIDTH] } }, (given, { use }) => ({
      y: use(gru(WIDTH), given.x, { name: "own", state: { h: mean(given.x, { axes: 1 }) } }),
    }));
    expect(() => toSequential(model)).toThrow("does more than chain layers: the layer own gets a state");
  });

  test("is saved and loaded with its function", () => {
    const model = translator("lstm");
    const file = saveModel({ model, step: 0, training: {} }, initialValues(model));
    const { model: loaded } = loadModel(file, "f", { modelFunction: functionOf("lstm") });
    expect(initialValues(loaded)).toEqual(initialValues(model));
    expect(loaded.config).toEqual(model.config);
  });
});
