import { afterEach, expect, test, vi } from "vitest";
import { browserWasm } from "../../src/backends/wasm/source.ts";

afterEach(() => void vi.unstubAllGlobals());

/** The default number of threads and the maximum, in a thread of a browser on a machine with some cores. */
function threadsIn(place: { cores: number | undefined; isIsolated: boolean; isPage?: boolean }) {
  vi.stubGlobal("navigator", { hardwareConcurrency: place.cores });
  vi.stubGlobal("crossOriginIsolated", place.isIsolated);
  if (place.isPage) vi.stubGlobal("document", {});
  const { threads, mostThreads } = browserWasm();
  return [threads, mostThreads];
}

test.each([
  [64, 63],
  [8, 7],
  [3, 2],
  [2, 1],
  [1, 1],
  // Some browsers do not say.
  [undefined, 1],
])("of %s cores, a page's worker uses %i, so that one is left for the page", (cores, threads) => {
  expect(threadsIn({ cores, isIsolated: true })).toEqual([threads, Infinity]);
});

test("there is one thread where memory cannot be shared, and where the page itself would wait", () => {
  expect(threadsIn({ cores: 8, isIsolated: false })).toEqual([1, 1]);
  expect(threadsIn({ cores: 8, isIsolated: true, isPage: true })).toEqual([1, 1]);
});
