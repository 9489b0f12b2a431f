import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/backends/backend.ts";
import {
  isRegression,
  makeClassificationDataset,
  makeRegressionDataset,
  type Dataset,
} from "../../../src/data/dataset.ts";
import { line } from "../../../src/data/points.ts";
import { activation, dense, flatten, layers as allLayers, sequential, type LossName } from "../../../src/nn/index.ts";
import { firstExamples } from "../../../src/data/split.ts";
import { examine, firstWeights } from "../../../src/cli/report/examine.ts";
import { ReportRecorder } from "../../../src/cli/report/record.ts";
import { createTrainer, fitUntil } from "../../../src/train/index.ts";
import { backends } from "../../backends.ts";
import { clouds } from "../../train/examples.ts";

const texts = { title: "a run", results: [], options: [] };
const unchanged = { scale: 1, offset: 0 };

describe.each(backends)("a run's report on $name", ({ name: backendName, create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  async function reported(train: Dataset, outputs: number, loss: LossName, held?: Dataset) {
    const layers = [dense(6, { activation: "tanh" }), activation("identity"), dense(outputs)];
    const model = sequential(layers, { inputShape: train.shape });
    const trainer = await createTrainer({
      model,
      dataset: train,
      backend,
      loss,
      learningRate: 0.05,
      batchSize: 10,
      epochs: 20,
    });
    const subject = { trainer, model, backend, train, normalization: unchanged, loss, test: held };
    const recorder = new ReportRecorder(subject);
    await recorder.start();
    const steps: number[] = [];
    for await (const progress of trainer.fit({ every: 5 })) {
      steps.push(progress.step);
      await recorder.progress(progress);
    }
    const evaluation = await trainer.evaluate(held ?? train);
    const facts = await recorder.finish(texts);
    return { facts, steps, evaluation, trainer };
  }

  test("for classification has curves, confusion matrix, mistakes, weights, gradient norms and dispatches", async () => {
    const [train, held] = [clouds(60), clouds(45, { seed: 1, noise: 0.9 })];
    const { facts, steps, evaluation } = await reported(train, 3, "softmaxCrossEntropy", held);
    expect(facts.curves.map(({ name }) => name)).toEqual(["training", "test"]);
    const [training, onTest] = facts.curves.map(({ points }) => points);
    expect(training!.map(({ step }) => step)).toEqual(steps);
    expect(onTest!.at(-1)).toMatchObject({ step: 120, loss: evaluation.loss, accuracy: evaluation.accuracy });
    expect(onTest![0]!.step).toBe(0);
    expect(onTest![0]!.loss).toBeGreaterThan(evaluation.loss);

    const { confusion, mistakes, worst, classes } = facts.classes!;
    expect(classes).toEqual(["class 0", "class 1", "class 2"]);
    expect(confusion.map((row) => row.reduce((sum, value) => sum + value, 0))).toEqual([15, 15, 15]);
    const right = confusion.reduce((sum, row, index) => sum + row[index]!, 0);
    expect(right / 45).toBeCloseTo(evaluation.accuracy, 10);
    expect(mistakes).toBe(45 - right);
    expect(mistakes).toBeGreaterThan(0);
    for (const { example, label, prediction, probabilities } of worst) {
      expect(label).toBe(classes[held.labels[example]!]);
      expect(prediction).not.toBe(label);
      expect(probabilities![0]).toBeGreaterThan(probabilities![1]);
    }
    expect(facts.examined).toBe("On the 45 test examples.");
    expect(facts.weights).toMatchObject({ units: 6 });
    expect(facts.weights!.images[0]).toMatchObject({ width: 4, height: 1 });
    expect(facts.gradientNorms.map(({ name }) => name)).toEqual(["layer 0, dense 6", "layer 2, dense 3"]);
    expect(facts.gradientNorms[0]!.points.at(-1)![0]).toBe(120);
    expect(facts.gradientNorms[0]!.points.length).toBeGreaterThan(15);
    if (backendName === "cpu float32") {
      expect(facts.nanoseconds).toMatch(/cannot measure the dispatches/);
    } else {
      expect(facts.dispatches.length).toBeGreaterThan(3);
      expect(facts.nanoseconds).toHaveLength(facts.dispatches.length);
    }
  });

  test("has a validation curve, also if early stopping restored an earlier step", async () => {
    const [train, validation] = [clouds(30), clouds(30, { noise: 2 })];
    const model = sequential([dense(12, { activation: "tanh" }), dense(3)], { inputShape: [4] });
    const trainer = await createTrainer({
      model,
      dataset: train,
      backend,
      learningRate: 0.1,
      batchSize: 10,
      epochs: 60,
    });
    const recorder = new ReportRecorder({
      trainer,
      model,
      backend,
      train,
      validation,
      normalization: unchanged,
      loss: "softmaxCrossEntropy",
    });
    await recorder.start();
    for await (const progress of fitUntil(trainer, { validation, patience: 3 })) await recorder.progress(progress);
    expect(trainer.step).toBeLessThan(180);
    const { curves, examined, classes } = await recorder.finish(texts);
    expect(curves.map(({ name }) => name)).toEqual(["training", "validation"]);
    const losses = curves[1]!.points.map(({ loss }) => loss);
    expect(curves[1]!.points[losses.indexOf(Math.min(...losses))]!.step).toBe(
      trainer.step - (trainer.step % 3 === 0 ? 0 : 1),
    );
    expect(examined).toBe("On the 30 validation examples.");
    expect(classes!.confusion.flat().reduce((sum, value) => sum + value, 0)).toBe(30);
    for (const { points } of curves)
      expect(points.map(({ step }) => step)).toEqual(points.map(({ step }) => step).toSorted((a, b) => a - b));
    trainer.dispose();
  });

  test("for regression has predictions against targets, and no accuracy", async () => {
    const train = line({ count: 40 });
    const { facts, evaluation } = await reported(train, 1, "meanSquaredError");
    expect(isRegression(train) && facts.classes).toBeUndefined();
    const [output] = facts.outputs!;
    expect(output!.name).toBe("y");
    expect(output!.points.map(([target]) => target)).toEqual([...train.targets]);
    expect(output!.metrics.rmse).toBeCloseTo(Math.sqrt(evaluation.loss), 5);
    expect(output!.metrics.r2).toBeGreaterThan(0.8);
    expect(facts.curves).toHaveLength(1);
    expect(facts.examined).toBe("On the 40 training examples.");
  });
});

test("the most confident mistakes come first, with images if the examples have two axes", () => {
  const dataset = makeClassificationDataset({
    name: "images",
    features: Uint8Array.of(0, 255, 10, 20, 30, 40, 50, 60),
    shape: [1, 2],
    labels: Uint32Array.of(0, 1, 0, 1),
    classes: ["a", "b"],
  });
  const { classes } = examine(dataset, Float32Array.of(1, 2, 0, 5, 1, 9, 3, 0), { loss: "softmaxCrossEntropy" });
  expect(classes!.confusion).toEqual([
    [0, 2],
    [1, 1],
  ]);
  expect(classes!.worst.map(({ example }) => example)).toEqual([2, 3, 0]);
  expect(classes!.worst[1]!.probabilities![0]).toBeCloseTo(1 / (1 + Math.exp(-3)), 6);
  const { image } = classes!.worst[2]!;
  expect(image).toMatchObject({ width: 2, height: 1, caption: "a, predicted as b" });
  expect([...decode(Buffer.from(image!.source.split(",")[1]!, "base64")).data]).toEqual([0, 255]);

  // A single output is a logit of class 1, or a value near 0 or 1.
  const logits = examine(dataset, Float32Array.of(0.1, -4, 3, 2), { loss: "sigmoidBinaryCrossEntropy" }).classes!;
  expect(logits.worst.map(({ example }) => example)).toEqual([1, 2, 0]);
  expect(logits.worst[0]!.probabilities![0]).toBeCloseTo(1 / (1 + Math.exp(-4)), 6);
  const values = examine(dataset, Float32Array.of(0.4, 0.3, 0.9, 0.6), { loss: "meanSquaredError" }).classes!;
  expect(values.worst.map(({ example }) => example)).toEqual([2, 1]);
  expect(values.worst[0]!.probabilities).toBeUndefined();
});

test("mistakes depend on the threshold, ranks do not, and images in color are shown in color", () => {
  const features = Uint8Array.from({ length: 12 }, (_, index) => 20 * index);
  const dataset = makeClassificationDataset({
    name: "colors",
    features,
    shape: [1, 1, 3],
    labels: Uint32Array.of(0, 1, 0, 1),
    classes: ["a", "b"],
  });
  const outputs = Float32Array.of(0, -1, 0, -0.5, 0, -2, 0, 3);
  const usual = examine(dataset, outputs, { loss: "softmaxCrossEntropy" }).classes!;
  const low = examine(dataset, outputs, { loss: "softmaxCrossEntropy", threshold: 0.2 }).classes!;
  expect([usual.worst, low.worst].map((worst) => worst.map(({ example }) => example))).toEqual([[1], [0]]);
  expect([usual.rocAuc, low.rocAuc]).toEqual(["1.000", "1.000"]);
  const { source } = usual.worst[0]!.image!;
  expect([...decode(Buffer.from(source.split(",")[1]!, "base64")).data]).toEqual([60, 80, 100]);
});

test("regression results are in the units of the label", () => {
  const targets = Float32Array.of(-1, 0, 1);
  const dataset = makeRegressionDataset({
    name: "prices",
    features: Float32Array.of(1, 2, 3),
    shape: [1],
    targets,
    outputs: ["price"],
  });
  const inUnits = (values: Float32Array) => values.map((value) => 100 + 10 * value);
  const [price] = examine(dataset, Float32Array.of(-1, 0, 0.5), { loss: "meanSquaredError", inUnits }).outputs!;
  expect(price!.points).toEqual([
    [90, 90],
    [100, 100],
    [110, 105],
  ]);
  expect(price!.metrics.mae).toBeCloseTo(5 / 3, 6);
});

test("the first examples of a data set keep their labels or targets", () => {
  const cut = firstExamples(clouds(9), 4);
  expect([cut.count, cut.features.length, [...cut.labels]]).toEqual([4, 16, [0, 1, 2, 0]]);
  const all = firstExamples(line({ count: 9 }), 20);
  expect([all.count, all.targets.length]).toEqual([9, 9]);
});

test("the first layer's weights become one image per unit, with the shape of the examples", () => {
  const weights = Float32Array.from({ length: 6 * 70 }, (_, index) => (index % 70 === 1 ? 0.5 : 0));
  const model = sequential([flatten(), dense(70)], { inputShape: [2, 3] });
  const found = firstWeights(model, { "layers.1.weight": { shape: [6, 70], values: weights } }, [2, 3]);
  expect(found).toMatchObject({ units: 70, largest: 0.5 });
  expect(found.images).toHaveLength(64);
  const image = (unit: number) => decode(Buffer.from(found.images[unit]!.source.split(",")[1]!, "base64"));
  expect(image(1)).toMatchObject({ width: 3, height: 2 });
  expect([...image(0).data].every((value) => value === 255)).toBe(true);
  expect([...image(1).data.subarray(0, 3)]).toEqual([213, 94, 0]);
});

test("the weights of a convolution become one image per output, with the channels side by side", () => {
  // Window [2, 2], 3 channels, 2 outputs; only row 1, column 0, channel 2 of output 1 is not 0.
  const weights = new Float32Array(2 * 2 * 3 * 2);
  weights[((1 * 2 + 0) * 3 + 2) * 2 + 1] = -4;
  const model = sequential([allLayers.conv2d(2, 2), flatten(), dense(3)], { inputShape: [5, 5, 3] });
  const found = firstWeights(model, { "layers.0.weight": { shape: [2, 2, 3, 2], values: weights } }, [5, 5, 3]);
  expect(found).toMatchObject({ units: 2, largest: 4 });
  const [none, one] = found.images.map(({ source }) => decode(Buffer.from(source.split(",")[1]!, "base64")));
  expect([one!.width, one!.height]).toEqual([6, 2]);
  expect([...none!.data].every((value) => value === 255)).toBe(true);
  // Of six columns, the last two are those of channel 2.
  const pixels = Array.from({ length: 12 }, (_, pixel) => [...one!.data.subarray(3 * pixel, 3 * pixel + 3)].join());
  expect(pixels.flatMap((color, pixel) => (color === "255,255,255" ? [] : [[pixel, color]]))).toEqual([
    [6 + 4, "0,114,178"],
  ]);
});

test("the weights of images in color show the channels side by side", () => {
  // One unit; only the green channel of the second pixel has a weight. The image has one row of two pixels.
  const values = Float32Array.of(0, 0, 0, 0, 1, 0);
  const model = sequential([flatten(), dense(1)], { inputShape: [1, 2, 3] });
  const { images } = firstWeights(model, { "layers.1.weight": { shape: [6, 1], values } }, [1, 2, 3]);
  const { data, width, height } = decode(Buffer.from(images[0]!.source.split(",")[1]!, "base64"));
  expect([width, height]).toEqual([6, 1]);
  const colored = Array.from({ length: 6 }, (_, pixel) => data[3 * pixel] !== 255);
  expect(colored).toEqual([false, false, false, true, false, false]);
});
