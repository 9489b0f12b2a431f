import { expect, test } from "vitest";
import { rankMistakes } from "../../src/train/mistakes.ts";

test("ranks wrong predictions by confidence, and equal ones by index", () => {
  const labels = Uint32Array.of(0, 1, 2, 0, 1, 2);
  const predictions = Uint32Array.of(1, 1, 0, 2, 0, 2);
  const confidences = [0.4, 0.99, 0.7, 0.7, 0.9, 1];
  expect(rankMistakes(labels, predictions, (example) => confidences[example]!)).toEqual([4, 2, 3, 0]);
});
