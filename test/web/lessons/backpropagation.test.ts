import { expect, test } from "vitest";
import {
  createCpuBackend,
  createTrainer,
  dense,
  initializers,
  makeRegressionDataset,
  optimizers,
  sequential,
} from "../../../src/index.ts";
import {
  backward,
  firstParameters,
  forward,
  inputs,
  learningRate,
  target,
  updated,
} from "../../../src/web/lessons/backpropagation/network.ts";

// The library computes in float32: values below 1 after about 20 operations are exact to 20 · 2⁻²⁴ ≈ 1.2e-6.
test("two steps by hand give the losses and weights of the library", async () => {
  const { w11, w21, b1, w12, w22, b2, v1, v2, c } = firstParameters;
  const layer = (units: number, weights: number[], biases: number[]) =>
    dense(units, {
      activation: "sigmoid",
      weights: initializers.given(weights),
      biases: initializers.given(biases),
    });
  const dataset = makeRegressionDataset({
    name: "one example",
    features: Float32Array.from(inputs),
    shape: [2],
    targets: Float32Array.of(target),
    outputs: ["y"],
  });
  const trainer = await createTrainer({
    model: sequential([layer(2, [w11, w12, w21, w22], [b1, b2]), layer(1, [v1, v2], [c])], { inputShape: [2] }),
    dataset,
    backend: createCpuBackend(),
    loss: "halfSumOfSquares",
    optimizer: optimizers.sgd(),
    learningRate,
    batchSize: 1,
    epochs: 2,
  });
  let byHand = firstParameters;
  for await (const { loss } of trainer.fit({ every: 1 })) {
    const there = forward(byHand);
    expect(Math.abs(loss - there.loss)).toBeLessThan(1.2e-6);
    byHand = updated(byHand, backward(byHand, there).gradients);
  }
  const { parameters } = await trainer.snapshot();
  const trained = Object.values(parameters).flatMap(({ values }) => [...values]);
  const order = ["w11", "w12", "w21", "w22", "b1", "b2", "v1", "v2", "c"] as const;
  order.forEach((name, index) => expect(Math.abs(trained[index]! - byHand[name])).toBeLessThan(2.4e-6));
  expect([byHand.w21, byHand.w22]).toEqual([w21, w22]);
  trainer.dispose();
});
