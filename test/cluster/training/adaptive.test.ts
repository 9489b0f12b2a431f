import { describe, expect, test } from "vitest";
import { nextInnerSteps, type MeasuredRound } from "../../../src/cluster/training/adaptive.ts";

/** A round of the given steps and milliseconds of each worker. */
function measured(
  innerSteps: number,
  milliseconds: number,
  workers: readonly (readonly [steps: number, time: number])[],
): MeasuredRound {
  const name = (index: number) => `worker-${index}`;
  return {
    innerSteps,
    milliseconds,
    participants: workers.map(([count], index) => ({
      worker: name(index),
      range: { first: 0, count },
      ownStep: 0,
      examples: 1,
      loss: 1,
      digest: "",
      factor: 1,
    })),
    facts: Object.fromEntries(
      workers.map(([, trainMilliseconds], index) => [
        name(index),
        { trainMilliseconds, arrivedMilliseconds: 0, sentBytes: 0 },
      ]),
    ),
    missing: {},
  };
}

describe("the number of inner steps", () => {
  test("makes communication a tenth of a round, by the slowest worker", () => {
    // 20 ms a step and 200 ms of communication: 90 steps take 1800 ms, nine times as long.
    const round = measured(100, 2200, [
      [100, 2000],
      [100, 500],
    ]);
    expect(nextInnerSteps(round, 1e6)).toBe(90);
    // The time of a step counts, not that of a shorter range.
    expect(nextInnerSteps({ ...round, ...measured(100, 2200, [[50, 1000]]) }, 1e6)).toBe(200);
  });

  test("changes at most by a factor of two, and stays within its bounds", () => {
    const slow = (steps: number) => measured(steps, 60_000, [[steps, 20 * steps]]);
    const fast = (steps: number) => measured(steps, 20 * steps, [[steps, 20 * steps]]);
    expect(nextInnerSteps(slow(100), 1e6)).toBe(200);
    expect(nextInnerSteps(fast(100), 1e6)).toBe(50);
    expect(nextInnerSteps(slow(900), 1e6)).toBe(1000);
    expect(nextInnerSteps(fast(12), 1e6)).toBe(10);
    // A run of 3000 steps keeps about 20 rounds.
    expect(nextInnerSteps(slow(100), 3000)).toBe(150);
  });

  test("stays after a round with a missing worker, and after one that was too short to measure", () => {
    const missing = { x: { name: "x", kind: "late", reason: null } } as const;
    expect(nextInnerSteps({ ...measured(100, 60_000, [[100, 2000]]), missing }, 1e6)).toBe(100);
    expect(nextInnerSteps(measured(100, 30, [[100, 0]]), 1e6)).toBe(100);
  });
});
