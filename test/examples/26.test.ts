import { expect, test } from "vitest";
import { byDigits, learn, makeModel } from "../../examples/26-addition.ts";
import { summary, tasks } from "../../src/index.ts";
import { acquireWasmBackend } from "../wasm.ts";
import { onBackends } from "./on-backends.ts";

test("questions are divided by the digits of their numbers", () => {
  const task = tasks.addition();
  expect(summary(makeModel(task)).parameters).toBe(25_536);
  const sets = byDigits(task);
  const counts = Object.values(sets).map(({ count }) => count);
  expect(counts.reduce((total, count) => total + count, 0)).toBe(task.test.count);
  // A pair of numbers is in the test set in both orders.
  expect(sets["1 + 2"]!.count).toBe(sets["2 + 1"]!.count);
  const patterns = {
    "1 + 1": /^0\d\+0\d=/,
    "1 + 2": /^0\d\+[1-9]\d=/,
    "2 + 1": /^[1-9]\d\+0\d=/,
    "2 + 2": /^[1-9]\d\+[1-9]\d=/,
  };
  for (const [kind, pattern] of Object.entries(patterns)) {
    const { count, tensors } = sets[kind]!;
    expect(count).toBeGreaterThan(5);
    for (let row = 0; row < count; row++) {
      const tokens = tensors["tokens"]!.values.subarray(row * task.context, (row + 1) * task.context);
      expect(task.tokenizer.decode(tokens)).toMatch(pattern);
    }
  }
});

onBackends("addition", (backend) => {
  test("learns from few questions, and counts answers of which all digits are right", async () => {
    const task = tasks.addition({ count: 40 });
    const { checks, exact } = await learn(backend(), task, { epochs: 8, batchSize: 24, sets: { train: task.train } });
    // All characters alike would have a loss of ln 12 = 2.5.
    expect(checks[0]!.loss).toBeGreaterThan(2.3);
    expect(checks.at(-1)!.loss).toBeLessThan(1.9);
    for (const { shares } of checks) {
      const { exact: all, ...digits } = shares;
      for (const share of Object.values(digits)) expect(all).toBeLessThanOrEqual(share);
    }
    // The first digit is 0 or 1.
    expect(checks.at(-1)!.shares.hundreds).toBeGreaterThan(0.5);
    expect(exact["train"]).toBeLessThan(1);
  });
});

test("soon answers most questions exactly that it has not seen", async () => {
  const backend = await acquireWasmBackend();
  const { checks } = await learn(backend, tasks.addition(), { epochs: 8, batchSize: 128 });
  const { hundreds, tens, ones, exact } = checks.at(-1)!.shares;
  for (const share of [hundreds, tens, ones]) expect(share).toBeGreaterThan(0.95);
  expect(exact).toBeGreaterThan(0.9);
  expect(checks[0]!.shares.exact).toBeLessThan(0.1);
  backend.dispose();
});
