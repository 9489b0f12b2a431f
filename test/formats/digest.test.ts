import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../../src/errors.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/formats/checkpoint.ts";
import { digestOf, murmurHash } from "../../src/formats/digest.ts";
import { initialValues, loadModel, saveModel, type TrainedModel } from "../../src/formats/model.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { dense } from "../../src/nn/layers/index.ts";
import { sequential } from "../../src/nn/sequential.ts";

const trained: TrainedModel = {
  model: sequential([dense(2), dense(2, { bias: false })], { inputShape: [2], seed: 9 }),
  loss: "softmaxCrossEntropy",
  normalization: { scale: 0.1, offset: -0.1 },
  classes: ["cat", "\u001b ox"],
  step: 12,
  training: { optimizer: "adam" },
};
const parameters = initialValues(trained.model);
const model = saveModel(trained, parameters);
const unreported = { steps: 2, loss: 0.5, correct: NaN, gradientNorm: 0 };
const run = { identity: { lr: 0.1 }, bestLoss: 0.25 };
const checkpoint = saveCheckpoint(trained, {
  parameters,
  optimizer: parameters,
  unreported,
  run,
  best: { step: 8, parameters, optimizer: parameters },
});

const words = (text: string) => new Uint32Array(new TextEncoder().encode(text).buffer);

test("the hash is the 32-bit MurmurHash3, however the data is split", () => {
  expect(murmurHash([])).toBe(0);
  expect(murmurHash([words("test")])).toBe(0xba6bd213);
  expect(murmurHash([words("abcd"), words(""), words("efgh")])).toBe(murmurHash([words("abcdefgh")]));
});

test("a digest does not depend on the order, and does not include itself", () => {
  const { tensors, metadata } = readSafetensors(model, "file");
  const named = Array.from(tensors, ([name, tensor]) => ({ name, ...tensor }));
  const digest = digestOf(named, metadata);
  expect(metadata["digest"]).toBe(digest);
  const reversed = Object.fromEntries(Object.entries(metadata).reverse());
  expect(digestOf(named.toReversed(), reversed)).toBe(digest);
  expect(loadModel(writeSafetensors(named.toReversed(), reversed), "file").step).toBe(12);
});

describe("a flipped bit is detected", () => {
  const refuses = (load: (bytes: Uint8Array, where: string) => unknown, file: Uint8Array, bit: number): boolean => {
    const flipped = file.slice();
    flipped[bit >>> 3]! ^= 1 << (bit & 7);
    try {
      load(flipped, "file");
      return false;
    } catch (error) {
      return error instanceof DataError;
    }
  };

  test("anywhere in a model", () => {
    const bits = Array.from({ length: 8 * model.length }, (_, bit) => bit);
    expect(bits.filter((bit) => !refuses(loadModel, model, bit))).toEqual([]);
  });

  test("in a checkpoint, also when it is read as a model", () => {
    const property = fc.property(fc.nat({ max: 8 * checkpoint.length - 1 }), (bit) => {
      expect(refuses(loadCheckpoint, checkpoint, bit)).toBe(true);
      expect(refuses(loadModel, checkpoint, bit)).toBe(true);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test("in a value, by the digest; the message names both digests", () => {
    const damaged = model.slice();
    damaged[damaged.length - 1]! ^= 1;
    expect(() => loadModel(damaged, "m.safetensors")).toThrow(
      /m\.safetensors: the file is damaged: the digest of its contents is murmur3:[0-9a-f]{8}, but it was written with "murmur3:[0-9a-f]{8}"\. Use another copy/,
    );
  });
});

test("files from before the digest still load", () => {
  const before = (file: Uint8Array) => {
    const { tensors, metadata } = readSafetensors(file, "file");
    const { digest: _, ...rest } = metadata;
    return writeSafetensors(
      Array.from(tensors, ([name, tensor]) => ({ name, ...tensor })),
      { ...rest, format: "wgrad" },
    );
  };
  expect(initialValues(loadModel(before(model), "file").model)).toEqual(parameters);
  expect(loadCheckpoint(before(checkpoint), "file").state.run).toEqual(run);
});
