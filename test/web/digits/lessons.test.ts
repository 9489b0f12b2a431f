import { describe, expect, test } from "vitest";
import { lessons } from "../../../src/web/digits/lessons.ts";
import { parseSettings } from "../../../src/web/digits/settings.ts";
import { parseHash } from "../../../src/web/shared/address/hash.ts";

describe.each(Object.entries(lessons))("the lesson %s", (_name, lesson) => {
  test("has an address whose settings are allowed", () => {
    const { tab, params } = parseHash(`#${lesson.hash}`);
    expect([tab, params.size > 0, parseSettings(params).faults]).toEqual(["digits", true, []]);
  });

  test("has one thing to predict, to do and to see, in at most 80 words each", () => {
    for (const text of [lesson.predict, lesson.act, lesson.see]) {
      const words = text.split(/\s+/).length;
      expect(words).toBeGreaterThan(5);
      expect(words).toBeLessThanOrEqual(80);
    }
  });
});

test("the first lesson's network has no hidden layer", () => {
  expect(parseSettings(parseHash(`#${lessons.templates.hash}`).params).settings.layers).toEqual([]);
});
