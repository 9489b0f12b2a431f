import { describe, expect, test } from "vitest";
import { Drawing } from "../../../../src/web/digits/state/drawing.ts";

describe("a drawing", () => {
  const at = (x: number) => ({ x, y: 0 });

  test("is made by one pointer at a time: a second finger draws nothing until the first one is lifted", () => {
    const drawing = new Drawing();
    expect(drawing.begin(1, at(0))).toBe(true);
    expect(drawing.begin(2, at(50))).toBe(false);
    expect(drawing.extend(2, at(51))).toBeUndefined();
    expect(drawing.extend(1, at(1))).toEqual(at(0));
    drawing.end(2);
    expect(drawing.extend(1, at(2))).toEqual(at(1));
    expect(drawing.begin("keyboard", at(9))).toBe(false);
    drawing.end(1);
    expect(drawing.extend(1, at(3))).toBeUndefined();
    expect(drawing.begin(2, at(50))).toBe(true);
    expect(drawing.strokes).toEqual([[at(0), at(1), at(2)], [at(50)]]);
  });

  test("loses its last stroke by undo and all strokes by clear, and then any pointer may draw", () => {
    const drawing = new Drawing();
    for (const pointer of [1, 2]) {
      drawing.begin(pointer, at(pointer));
      if (pointer === 1) drawing.end(pointer);
    }
    drawing.undo();
    expect(drawing.strokes).toEqual([[at(1)]]);
    expect(drawing.extend(2, at(5))).toBeUndefined();
    expect(drawing.begin(3, at(3))).toBe(true);
    drawing.clear();
    expect(drawing.strokes).toEqual([]);
    drawing.undo();
    expect(drawing.begin("keyboard", at(1))).toBe(true);
  });
});
