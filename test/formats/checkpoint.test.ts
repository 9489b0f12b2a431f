import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { DataError } from "../../src/errors.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/formats/checkpoint.ts";
import { loadModel, saveModel } from "../../src/formats/model.ts";
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

describe("a checkpoint file", () => {
  test("restores the state with bit-identical values, and can be read as a model", async () => {
    const { trained, state } = await example();
    const bytes = saveCheckpoint(trained, state);
    const { trained: found, state: read } = loadCheckpoint(bytes, "a file");
    expect(read).toEqual(state);
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
    expect(read).toEqual({ ...state, best });
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
