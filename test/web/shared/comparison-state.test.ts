import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import type { Comparison as Compared } from "../../../src/web/shared/comparison-contract.ts";
import { Comparison } from "../../../src/web/shared/comparison-state.ts";

const found: Compared = { runs: [], largestDifference: 0 };

test("a comparison that ends late does not end that of the next network", async () => {
  const subject = signal<string | undefined>(undefined);
  const answers: ((answer: Compared | undefined) => void)[] = [];
  const comparison = new Comparison({
    compare: () => new Promise((resolve) => void answers.push(resolve)),
    cancelComparison: () => {},
    prefix: "",
    network: "this network",
    examples: "images",
    subject,
  });
  expect(comparison.isReady.value).toBe(false);
  subject.value = "first";
  const first = comparison.start();
  expect(comparison.state.value).toEqual({ kind: "busy" });
  // The restart cancels the comparison, which ends after its last step.
  subject.value = "second";
  expect(comparison.state.value).toEqual({ kind: "idle" });
  const second = comparison.start();
  answers[0]!(undefined);
  await first;
  expect(comparison.state.value).toEqual({ kind: "busy" });
  answers[1]!(found);
  await second;
  expect(comparison.state.value).toEqual({ kind: "done", found });
});
