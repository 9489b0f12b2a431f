import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { DataError, OptionError } from "../../src/errors.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/formats/checkpoint.ts";
import { loadModel, modelMetadata, saveModel, writeModelFile } from "../../src/formats/model.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { losses } from "../../src/nn/losses.ts";
import { createTrainer, type Checkpoint } from "../../src/train/index.ts";
import { clouds, finish, smallModel } from "../train/examples.ts";

async function example() {
  const [model, dataset] = [smallModel(), clouds(60)];
  const trainer = await createTrainer({
    model,
    dataset,
    backend: createCpuBackend(),
    learningRate: 0.02,
    batchSize: 10,
    epochs: 2,
  });
  const kept: Checkpoint[] = [];
  await finish(trainer, { every: 3, checkpoint: { everySteps: 5, save: async (one) => void kept.push(one) } });
  const [{ step, ...state }] = kept as [Checkpoint];
  const normalization = { scale: 1, offset: 0 };
  const trained = {
    model,
    loss: "softmaxCrossEntropy",
    normalization,
    classes: dataset.classes,
    step,
    training: { seed: 1 },
  } as const;
  return { trained, state: { ...state, run: { seed: 1, best: { loss: 0.5 } } } };
}

const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

describe("a checkpoint file", () => {
  test("restores the state with bit-identical values, and can be read as a model", async () => {
    const { trained, state } = await example();
    const bytes = saveCheckpoint(trained, state);
    const { trained: found, state: read } = loadCheckpoint(bytes, "a file");
    expect(read).toEqual({ ...state, step: 5 });
    expect(read.unreported.steps).toBe(2);
    expect(Object.keys(read.optimizer).length).toBeGreaterThan(0);
    expect({ ...found, model: found.model.config }).toEqual({ ...trained, model: trained.model.config });
    expect(loadModel(bytes, "a file").model.parameters.map(({ shape }) => shape)).toEqual(
      trained.model.parameters.map(({ shape }) => shape),
    );
  });

  test("stores sums that JSON cannot represent", async () => {
    const { trained, state } = await example();
    for (const [loss, correct] of [
      [Infinity, NaN],
      [-0.1, 3],
      [1e-300, 0.1 + 0.2],
    ] as const) {
      const unreported = { steps: 3, loss, correct, gradientNorm: 0.1 };
      expect(loadCheckpoint(saveCheckpoint(trained, { ...state, unreported }), "a file").state.unreported).toEqual(
        unreported,
      );
    }
  });

  test("stores the best state in addition to the last", async () => {
    const { trained, state } = await example();
    const doubled = (values: typeof state.parameters) =>
      Object.fromEntries(
        Object.entries(values).map(([name, { shape, values: all }]) => [
          name,
          { shape, values: all.map((value) => 2 * value) },
        ]),
      );
    const best = { step: 3, parameters: doubled(state.parameters), optimizer: doubled(state.optimizer) };
    const { state: read } = loadCheckpoint(saveCheckpoint(trained, { ...state, best }), "a file");
    expect(read).toEqual({ ...state, step: 5, best });
    const placed = { ...best, stream: 3 };
    expect(loadCheckpoint(saveCheckpoint(trained, { ...state, best: placed }), "f").state.best).toEqual(placed);
  });

  test("stores metrics and the position of a stream", async () => {
    const { trained, state } = await example();
    const metrics = { recall: 0.1 + 0.2, toString: NaN, z_1: -0 };
    const unreported = { ...state.unreported, metrics };
    for (const stream of [{ file: 3, offsets: [0, null, "x", true], nested: { a: -1.5e-7 } }, null, 0, "", []]) {
      const whole = { ...state, unreported, stream };
      expect(loadCheckpoint(saveCheckpoint(trained, whole), "f").state).toEqual({ ...whole, step: 5 });
    }
    expect(loadCheckpoint(saveCheckpoint(trained, state), "f").state).not.toHaveProperty("stream");
  });

  test("takes custom layers and losses", async () => {
    const { trained, state } = await example();
    const loss = { ...losses.softmaxCrossEntropy, name: "own" };
    const bytes = saveCheckpoint({ ...trained, loss }, state);
    expect(loadCheckpoint(bytes, "f", { losses: [loss] }).trained.loss).toBe(loss);
    expect(() => loadCheckpoint(bytes, "f")).toThrow(/"own", which is not a built-in loss/);
  });

  test("is read without the entries that older files do not have", async () => {
    const { trained, state } = await example();
    const { steps, loss, correct, gradientNorm } = state.unreported;
    const older = writeModelFile(
      Object.entries(state.parameters).map(([name, values]) => ({ name, ...values })),
      {
        ...modelMetadata(trained),
        unreported: [steps, loss, correct, gradientNorm].join(" "),
        run: JSON.stringify(state.run),
      },
    );
    expect(loadCheckpoint(older, "f").state).toEqual({ ...state, step: 5, optimizer: {} });
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["a position that is not JSON", { stream: { at: NaN } }, /position of the stream is not plain JSON\. Return null,/],
    ["a position that is a typed array", { stream: Uint8Array.of(1) }, /position of the stream is not plain JSON/],
    ["a position without an end", { stream: deep(17) }, /position of the stream is not plain JSON/],
    ["a function as a position", { stream: () => 1 }, /position of the stream is not plain JSON/],
    ["a very large position", { stream: new Array(100_001).fill("") }, /stream has more than 100000 objects/],
    ["another shape", { parameters: {} }, /layers\.0\.weight/],
    ["another step", { step: 6 }, /the state is that of step 6, but the model is that of step 5/],
    [
      "a snapshot during fit",
      { unreported: undefined },
      /has no unreported metrics\. Take it with the option checkpoint/,
    ],
  ])("is not written for %s", async (_name, changes, message) => {
    const { trained, state } = await example();
    const save = () => saveCheckpoint(trained, { ...state, ...changes });
    expect(save).toThrow(OptionError);
    expect(save).toThrow(message);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ["metrics that are a list", { unreportedMetrics: "[]" }, /"unreportedMetrics" is not an object of numbers as text/],
    ["metrics that are no numbers", { unreportedMetrics: '{"a":"x"}' }, /"unreportedMetrics"/],
    ["metrics with other names", { unreportedMetrics: '{"__proto__":"1"}' }, /"unreportedMetrics"/],
    ["metrics that are no text", { unreportedMetrics: '{"a":1}' }, /"unreportedMetrics"/],
    ["damaged metrics", { unreportedMetrics: "{" }, /"unreportedMetrics"/],
    ["a damaged position", { stream: '{"a":1,"a":2}' }, /entry "stream" has the key "a" twice/],
    ["a damaged position of the best state", { best: "3", bestStream: "{" }, /entry "bestStream" is not JSON/],
  ])("is refused with %s", async (_name, changes, message) => {
    const { trained, state } = await example();
    const { tensors, metadata } = readSafetensors(saveCheckpoint(trained, state), "f");
    const { digest: _digest, ...entries } = metadata;
    const named = Array.from(tensors, ([name, tensor]) => ({ name, ...tensor }));
    const bytes = writeModelFile(named, { ...entries, ...changes });
    expect(() => loadCheckpoint(bytes, "f")).toThrow(DataError);
    expect(() => loadCheckpoint(bytes, "f")).toThrow(message);
  });

  test("is refused if it is a model without the state of a run", async () => {
    const { trained, state } = await example();
    const model = saveModel(trained, state.parameters);
    expect(() => loadCheckpoint(model, "plain.safetensors")).toThrow(DataError);
    expect(() => loadCheckpoint(model, "plain.safetensors")).toThrow(
      /plain\.safetensors: this is a model without the state of its training.*Give a checkpoint that wgrad wrote/,
    );
  });
});
