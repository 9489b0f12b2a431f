import { expect, test } from "vitest";
import {
  gradientsByHand,
  initialParameters,
  backpropagate,
  libraryGradients,
  makeModel,
  samples,
  trainByHand,
  trainByLibrary,
} from "../../examples/09-backprop-by-hand.ts";
import { fitMoons } from "../../examples/10-binary-classification.ts";
import { activations, DEPTH, initializations, normsPerLayer } from "../../examples/13-vanishing-gradients.ts";
import { onBackends } from "./on-backends.ts";

test("backpropagation by hand agrees with central differences", () => {
  const [model, dataset] = [makeModel(), samples(1)];
  const parameters = initialParameters(model);
  const lossNow = () => backpropagate(parameters, dataset.features, dataset.labels[0]!).loss;
  const { gradient } = backpropagate(parameters, dataset.features, dataset.labels[0]!);
  for (const name of ["weights1", "biases1", "weights2", "biases2"] as const) {
    parameters[name].forEach((value, at) => {
      const losses = [1e-5, -1e-5].map((change) => {
        parameters[name][at] = value + change;
        return lossNow();
      });
      parameters[name][at] = value;
      expect((losses[0]! - losses[1]!) / 2e-5).toBeCloseTo(gradient[name][at]!, 8);
    });
  }
});

onBackends("backpropagation by hand", (backend) => {
  test("gives the library's gradients to 1e-6 for samples of both classes", async () => {
    const [model, dataset] = [makeModel(), samples()];
    for (const row of [dataset.labels.indexOf(0), dataset.labels.indexOf(1)]) {
      const byHand = gradientsByHand(model, dataset, row);
      const byLibrary = await libraryGradients(backend(), model, dataset, row);
      expect(byLibrary).toHaveLength(5 * 16 + 16 + 16 * 2 + 2);
      expect(Math.max(...byHand.map(Math.abs))).toBeGreaterThan(0.1);
      byHand.forEach((value, index) => expect(Math.abs(value - byLibrary[index]!)).toBeLessThan(1e-6));
    }
  });

  test("has the library's loss at every step of training", async () => {
    const [model, dataset] = [makeModel(), samples()];
    const byHand = trainByHand(model, dataset, 5);
    const byLibrary = await trainByLibrary(backend(), model, dataset, 5);
    expect(byLibrary).toHaveLength(300);
    // float32 compared with float64: the losses are about 0.7, and the rounding of 300 steps adds up to less than 1e-5.
    byHand.forEach((loss, step) => expect(Math.abs(loss - byLibrary[step]!)).toBeLessThan(1e-5));
  });
});

onBackends("binary classification", (backend) => {
  test("separates the moons", async () => {
    const { losses, testAccuracy, testLoss, probabilities } = await fitMoons(
      backend(),
      40,
      Float32Array.of(-1 / 3, 0.5, 1 / 3, -0.5),
    );
    expect(testAccuracy).toBeGreaterThan(0.97);
    expect(testLoss).toBeLessThan(0.12);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 5);
    // The tops of both moons.
    expect(probabilities[0]).toBeLessThan(0.1);
    expect(probabilities[1]).toBeGreaterThan(0.9);
  });
});

onBackends("vanishing gradients", (backend) => {
  test("the gradient vanishes with sigmoid, and is preserved by tanh with Xavier and relu with He", async () => {
    const ratio: Record<string, number> = {};
    const first: Record<string, number> = {};
    for (const [name, initializer] of Object.entries(initializations)) {
      for (const activation of activations) {
        const norms = await normsPerLayer(backend(), activation, initializer);
        expect(norms).toHaveLength(DEPTH);
        ratio[`${activation} ${name}`] = norms[0]! / norms.at(-1)!;
        first[`${activation} ${name}`] = norms[0]!;
      }
    }
    expect(ratio["sigmoid Xavier"]).toBeLessThan(1e-4);
    expect(ratio["sigmoid He"]).toBeLessThan(1e-3);
    for (const kept of ["tanh Xavier", "relu He"]) {
      expect(ratio[kept]).toBeGreaterThan(0.2);
      expect(ratio[kept]).toBeLessThan(5);
    }
    // Xavier's variance is half of what relu needs. Signal and gradient shrink by 1/√2 per layer, to 1/45 in 11 layers.
    expect(first["relu Xavier"]).toBeLessThan(first["relu He"]! / 20);
  });
});
