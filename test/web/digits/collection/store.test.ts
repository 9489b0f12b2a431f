import { IDBFactory, IDBObjectStore } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  removeDrawings,
  storeDrawings,
  storedDrawings,
  type LabeledDrawing,
} from "../../../../src/web/digits/collection/store.ts";

/** A drawing whose pixels tell which one it is. */
const drawing = (index: number): LabeledDrawing => ({
  label: index % 10,
  pixels: new Uint8Array(784).fill(index % 251),
});

const drawings = (count: number) => Array.from({ length: count }, (_, index) => drawing(index));

beforeEach(() => vi.stubGlobal("indexedDB", new IDBFactory()));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const idsOf = async () => (await storedDrawings()).map(({ id }) => id);

describe("the store of drawings", () => {
  test("keeps drawings in their order", async () => {
    expect(await storedDrawings()).toEqual([]);
    const kept = await storeDrawings(drawings(300));
    const found = await storedDrawings();
    expect(found.map(({ id }) => id)).toEqual(kept.map(({ id }) => id));
    expect(found.map(({ label }) => label)).toEqual(kept.map((_, index) => index % 10));
    expect(found.map(({ pixels }) => pixels[783])).toEqual(kept.map((_, index) => index % 251));
  });

  test("removes drawings, and restores them in their places", async () => {
    const kept = await storeDrawings(drawings(4));
    const ids = kept.map(({ id }) => id);
    await removeDrawings([ids[1]!, ids[2]!]);
    expect(await idsOf()).toEqual([ids[0], ids[3]]);
    expect(await storeDrawings([kept[2]!])).toEqual([kept[2]]);
    expect(await storedDrawings()).toEqual([kept[0], kept[2], kept[3]]);
    // The ID of a removed drawing is not given to another one.
    const [next] = await storeDrawings([drawing(7)]);
    expect(next!.id).toBeGreaterThan(ids[3]!);
    expect(await storeDrawings([])).toEqual([]);
    await removeDrawings([]);
    expect(await idsOf()).toEqual([ids[0], ids[2], ids[3], next!.id]);
  });

  test("keeps what another tab adds at the same time", async () => {
    await Promise.all([storeDrawings(drawings(3)), storeDrawings(drawings(2)), storeDrawings(drawings(1))]);
    expect(new Set(await idsOf()).size).toBe(6);
  });

  test.each([
    ["QuotaExceededError", /^Drawings: the browser's storage is full, so nothing was kept\. Export the drawings/],
    [
      "InvalidStateError",
      /^Drawings: the browser does not store anything for this page \(no\), so nothing was kept\. Allow/,
    ],
  ])("stores all of several drawings or none: %s", async (name, message) => {
    const kept = await storeDrawings(drawings(2));
    const { put } = IDBObjectStore.prototype;
    let puts = 0;
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, ...values) {
      if (++puts === 3) throw new DOMException("no", name);
      return put.apply(this, values);
    });
    await expect(storeDrawings(drawings(5))).rejects.toThrow(message);
    expect(puts).toBe(3);
    expect(await storedDrawings()).toEqual(kept);
  });

  test("says that the browser stores nothing", async () => {
    vi.stubGlobal("indexedDB", {
      open: () => {
        throw new DOMException("The operation is insecure", "SecurityError");
      },
    });
    const forbidden = /does not store anything for this page \(The operation is insecure\), so/;
    await expect(storedDrawings()).rejects.toThrow(forbidden);
    await expect(storeDrawings(drawings(1))).rejects.toThrow(forbidden);
    await expect(removeDrawings([1])).rejects.toThrow(/so nothing was removed/);
  });
});
