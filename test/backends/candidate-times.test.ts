import { expect, test } from "vitest";
import { timeCandidate } from "../../src/backends/webgpu/tuning.ts";

/** A kernel on a GPU that needs some time to answer, in milliseconds. */
function kernel(answer: number, run: number) {
  let now = 0;
  let runs = 0;
  return {
    clock: () => now,
    runs: () => runs,
    async run(_first: number, count: number) {
      now += answer + count * run;
      runs += count;
    },
  };
}

test("a fast kernel is found although one run of it lasts longer than one of many runs of the best", async () => {
  const found = kernel(0.06, 0.01);
  expect(await timeCandidate(found, 5, 0.018, found.clock)).toBeCloseTo(0.01 + 0.06 / 23, 5);
});

test("a clearly slower kernel is measured once, and a better one three times", async () => {
  const [slow, fast] = [kernel(0.06, 0.04), kernel(0.06, 0.01)];
  await timeCandidate(slow, 5, 0.018, slow.clock);
  expect(slow.runs()).toBe(3 + 16);
  await timeCandidate(fast, 5, 0.018, fast.clock);
  expect(fast.runs()).toBe(3 + 3 * 23);
});

test("a kernel that takes the whole budget is not run again if it is clearly slower", async () => {
  const [slow, fast] = [kernel(0.06, 10), kernel(0.06, 10)];
  expect(await timeCandidate(slow, 5, 1, slow.clock)).toBeCloseTo(10.06, 5);
  expect(slow.runs()).toBe(3);
  await timeCandidate(fast, 5, Infinity, fast.clock);
  expect(fast.runs()).toBe(6);
});
