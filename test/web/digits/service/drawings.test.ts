import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { builtInDigits } from "../../../../src/index.ts";
import { storeDrawings } from "../../../../src/web/digits/collection/store.ts";
import type { DigitsData } from "../../../../src/web/digits/service/data.ts";
import { withDrawings } from "../../../../src/web/digits/service/drawings.ts";

const data: DigitsData = { name: "built-in digits", ...builtInDigits({ train: 20, test: 5 }), mnistMissing: false };

beforeEach(() => vi.stubGlobal("indexedDB", new IDBFactory()));
afterEach(() => vi.unstubAllGlobals());

test("adds copies of each drawing to the training images, and none to the test images", async () => {
  await storeDrawings([7, 3].map((label) => ({ label, pixels: new Uint8Array(784).fill(label) })));
  const { name, train, test: held } = await withDrawings(data, 3);
  expect(name).toBe("built-in digits with 2 of our drawings × 3");
  expect(held).toBe(data.test);
  expect(train.count).toBe(26);
  expect([...train.labels]).toEqual([...data.train.labels, 7, 3, 7, 3, 7, 3]);
  expect(train.features.subarray(0, 784 * 20)).toEqual(data.train.features);
  train.labels.slice(20).forEach((label, index) => {
    const pixels = train.features.subarray(784 * (20 + index), 784 * (21 + index));
    expect(pixels.every((ink) => ink === label)).toBe(true);
  });
});

test("leaves the data as they are without drawings, and where the browser stores nothing", async () => {
  expect(await withDrawings(data, 3)).toBe(data);
  vi.stubGlobal("indexedDB", undefined);
  expect(await withDrawings(data, 3)).toBe(data);
});
