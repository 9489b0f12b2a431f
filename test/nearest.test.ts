import { expect, test } from "vitest";
import { choiceOf } from "../src/choices.ts";
import { nearest } from "../src/nearest.ts";

test("a misspelled name means the nearest one within two edits", () => {
  expect(nearest("Soft-Max", ["softmax", "sigmoid"])).toBe("softmax");
  expect(nearest("sofmtax", ["softmax", "sigmoid"])).toBe("softmax");
  expect(nearest("sofmtaxxx", ["softmax", "sigmoid"])).toBeUndefined();
});

test("a synonym means a name, where it is among the choices", () => {
  const synonyms = { gpu: "webgpu" };
  expect(nearest("GPU", ["cpu", "webgpu"], synonyms)).toBe("webgpu");
  expect(nearest("gpu", ["cpu", "wasm"], synonyms)).toBe("cpu");
  expect(nearest("gpu", ["cpu", "webgpu"])).toBe("cpu");
  expect(nearest("constructor", ["cpu"], synonyms)).toBeUndefined();
});

test("a message lists all choices, after the nearest one", () => {
  expect(choiceOf("mse", ["meanSquaredError", "softmaxCrossEntropy"])).toBe(
    "Did you mean meanSquaredError? Choose one of meanSquaredError, softmaxCrossEntropy",
  );
  expect(choiceOf("BCEWithLogitsLoss", ["sigmoidBinaryCrossEntropy"])).toMatch(
    /^Did you mean sigmoidBinaryCrossEntropy/,
  );
  expect(choiceOf("gpu", ["cpu", "webgpu"])).toBe("Did you mean webgpu? Choose one of cpu, webgpu");
  expect(choiceOf(7, ["a", "b"])).toBe("Choose one of a, b");
});
