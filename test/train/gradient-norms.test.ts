import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { makeRegressionDataset } from "../../src/data/dataset.ts";
import { makeTensorDataset } from "../../src/data/tensor-dataset.ts";
import { activation, dense, functionalModel, initializers, sequential } from "../../src/nn/index.ts";
import { add, square, subtract } from "../../src/ops/elementwise/index.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { createGradientNorms, createTrainer } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish, smallModel } from "./examples.ts";

describe.each(backends)("gradient norms on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("equal values computed by hand for each layer", async () => {
    const model = sequential(
      [
        dense(1, { weights: initializers.given([2]) }),
        activation("relu"),
        dense(1, { weights: initializers.given([3]), bias: false }),
      ],
      { inputShape: [1] },
    );
    const dataset = makeRegressionDataset({
      name: "two",
      features: Float32Array.of(1, 3),
      shape: [1],
      targets: Float32Array.of(5, 0),
      outputs: ["y"],
    });
    const options = { model, backend, session: backend.createSession(), dataset };
    // ŷ = 3 · 2x = 6 and 18; 2 (ŷ − y) = 2 and 36. For the first example: ∂/∂w₂ = 2 · 2, ∂/∂w₁ = 2 · 3 · 1, ∂/∂b₁ = 2 ·
    // 3.
    const first = await createGradientNorms({ ...options, examples: 1 });
    expect(first.layers).toEqual([0, 2]);
    const [below, above] = await first.measure();
    expect(below).toBeCloseTo(Math.hypot(6, 6), 4);
    expect(above).toBeCloseTo(4, 4);
    // For both: the means of 2 · 2 and 36 · 6, of 6 and 36 · 3 · 3, and of 6 and 36 · 3.
    const both = await (await createGradientNorms(options)).measure();
    expect(both[0]).toBeCloseTo(Math.hypot(165, 57), 2);
    expect(both[1]).toBeCloseTo(110, 3);
  });

  test("equal values computed by hand for the named layers of a functional model", async () => {
    const shared = dense(1, { weights: initializers.given([2]), bias: false });
    const model = functionalModel({ inputs: { a: [1], b: [1] }, name: "twins" }, ({ a, b }, { use }) => ({
      y: use(dense(1, { weights: initializers.given([3]) }), add(use(shared, a, "tower"), use(shared, b)), "head"),
    }));
    const dataset = makeTensorDataset({
      name: "pairs",
      tensors: {
        a: { values: Float32Array.of(1, 3), shape: [1] },
        b: { values: Float32Array.of(2, -1), shape: [1] },
      },
    });
    const norms = await createGradientNorms({
      model,
      backend,
      session: backend.createSession(),
      dataset,
      normalization: { b: { scale: 2, offset: 0 } },
      loss: ({ y }, { b }) => reshape(square(subtract(y, b!)), [-1]),
    });
    expect(norms.layers).toEqual(["tower", "head"]);
    // b is 4 and −2 after normalization; a + b = 5 and 1; ŷ = 3 · 2 (a + b) = 30 and 6; 2 (ŷ − b) = 52 and 16.
    const [tower, head] = await norms.measure();
    expect(tower).toBeCloseTo((52 * 3 * 5 + 16 * 3 * 1) / 2, 3);
    expect(head).toBeCloseTo(Math.hypot((52 * 10 + 16 * 2) / 2, (52 + 16) / 2), 3);
  });

  test("belong to the layers of a named model", async () => {
    const model = sequential([activation("tanh"), dense(3)], { inputShape: [4], name: "layers" });
    const session = backend.createSession();
    const norms = await createGradientNorms({ model, backend, session, dataset: clouds(8) });
    expect(norms.layers).toEqual([1]);
    expect((await norms.measure())[0]).toBeGreaterThan(0);
  });

  test("use the current parameters of a trainer's session", async () => {
    const model = smallModel();
    const dataset = clouds(40);
    const trainer = await createTrainer({
      model,
      dataset,
      backend,
      learningRate: 0.05,
      batchSize: "full",
      epochs: 200,
    });
    const norms = await createGradientNorms({ model, backend, session: trainer.session, dataset });
    const before = await norms.measure();
    await finish(trainer);
    const after = await norms.measure();
    before.forEach((norm, layer) => expect(after[layer]).toBeLessThan(norm / 5));
    trainer.dispose();
  });

  test("refuse a model and data that do not fit", async () => {
    const options = {
      model: smallModel(),
      backend,
      session: backend.createSession(),
      dataset: clouds(8, { classes: 2 }),
    };
    await expect(createGradientNorms(options)).rejects.toThrow(/the data has 2 classes/);
    await expect(createGradientNorms({ ...options, dataset: clouds(8), examples: 0 })).rejects.toThrow(
      /gradientNorms examples/,
    );
  });
});
