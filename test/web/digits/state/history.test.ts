import { describe, expect, test } from "vitest";
import { smoothed, TrainingHistory } from "../../../../src/web/digits/state/history.ts";

describe("the history of a run", () => {
  test("keeps the last step and time and the means of joined steps", () => {
    const history = new TrainingHistory();
    for (let first = 0; first < 5000; first += 100) {
      const values = Float32Array.from({ length: 100 }, (_, index) => first + index + 1);
      history.add(values, values, first + 100, first / 10, first / 10 + 10);
    }
    const { steps, seconds, losses, accuracies } = history.curve();
    expect(steps.length).toBeLessThanOrEqual(2000);
    expect(steps.at(-1)).toBe(5000);
    expect(seconds.at(-1)).toBeCloseTo(500, 9);
    const width = steps[1]! - steps[0]!;
    expect(width).toBe(4);
    steps.forEach((step, index) => {
      expect(losses[index]).toBe(step - 1.5);
      expect(accuracies[index]).toBe(losses[index]);
      expect(seconds[index]).toBeCloseTo(step / 10, 9);
    });
  });

  test("is smoothed without a bias at the start, and skips values that are not finite", () => {
    expect([...smoothed([4, 4, 4], 0.9)]).toEqual([
      expect.closeTo(4, 12),
      expect.closeTo(4, 12),
      expect.closeTo(4, 12),
    ]);
    const [first, second] = smoothed([1, 2], 0.5);
    expect(first).toBe(1);
    expect(second).toBeCloseTo((0.25 * 1 + 0.5 * 2) / 0.75, 12);
    expect([...smoothed([1, NaN, 1], 0.5)]).toEqual([1, 1, 1]);
    expect([...smoothed([3, 1, 2], 0)]).toEqual([3, 1, 2]);
  });
});
