import { expect, test } from "vitest";
import * as wgrad from "../../src/index.ts";

test("the library exports all names of its parts, without collisions", () => {
  const names = `add multiply select relu step sigmoid takeBatch gradients pack reshape softmaxCrossEntropy matmul
    sum mean argmax softmax dropoutMask parameter state input constant stepScalar defineGraph dense activation flatten dropout
    sequential modelFromConfig losses accuracy clipByGlobalNorm createTrainer createEvaluator createGradientNorms minimize probabilities makeClassificationDataset
    standardization unitScale builtInDigits createCpuBackend WgradError OptionError Random`;
  expect(names.split(/\s+/).filter((name) => !(name in wgrad))).toEqual([]);
  expect(Object.keys(wgrad.optimizers).toSorted()).toEqual([
    "adagrad",
    "adam",
    "adamW",
    "coupledDecay",
    "lion",
    "momentum",
    "muon",
    "nesterov",
    "regularized",
    "rmsprop",
    "sgd",
  ]);
  expect(Object.keys(wgrad.schedules).toSorted()).toEqual([
    "constant",
    "cosine",
    "cosineRestarts",
    "exponential",
    "linear",
    "oneCycle",
    "step",
    "warmup",
  ]);
  expect(Object.keys(wgrad.initializers)).toHaveLength(10);
});
