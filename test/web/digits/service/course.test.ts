import { describe, expect, test } from "vitest";
import { schedules } from "../../../../src/nn/index.ts";
import { epochsAt, fromTheStart, scheduleOnCourse, totalStepsOf } from "../../../../src/web/digits/service/course.ts";

describe("the position in a run", () => {
  test("counts epochs across a change of the batch size, and the run ends with the last epoch", () => {
    const at = { step: 172, epochs: epochsAt(fromTheStart, 78, 172) };
    expect(at.epochs).toBeCloseTo(2.205, 3);
    // 20 epochs of 4 steps, of which 17.8 are left.
    expect(totalStepsOf(at, 4, 20)).toBe(172 + 72);
    expect(epochsAt(at, 4, 172 + 4)).toBeCloseTo(at.epochs + 1, 12);
    expect(totalStepsOf(at, 4, 1)).toBe(172);
    expect(totalStepsOf(fromTheStart, 78, 20)).toBe(1560);
  });

  test("continues a schedule at the same fraction of the run", () => {
    const cosine = schedules.cosine();
    const at = { step: 780, epochs: 10 };
    const rest = scheduleOnCourse(cosine, at, 4, 20);
    expect(rest(780, 0)).toBeCloseTo(0.5, 12);
    expect(rest(780 + 20, 0)).toBeCloseTo(cosine(60, 80), 12);
    expect(scheduleOnCourse(cosine, fromTheStart, 78, 20)(500, 0)).toBe(cosine(500, 1560));
  });
});
