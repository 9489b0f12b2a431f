import { afterEach, expect, test, vi } from "vitest";
import type { TestEvent } from "../../../../src/web/digits/contract.ts";
import { Inspector } from "../../../../src/web/digits/service/inspector.ts";
import type { Run } from "../../../../src/web/digits/service/run.ts";

afterEach(() => vi.restoreAllMocks());

/** The sizes of the looks at a test set of 500 pictures while nothing trains, each with its time in milliseconds. */
async function looksAtRest(costOf: (size: number, isFirst: boolean) => number): Promise<number[]> {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const sizes: number[] = [];
  const run = {
    options: { data: { test: { count: 500 } } },
    forwardMilliseconds: 10,
    watchDevice: () => () => false,
    weights: async () => undefined,
    test: async (most: number) => {
      const count = Math.min(most, 500);
      now += costOf(count, !sizes.includes(count));
      return { count, pictures: new Uint8Array() } as Partial<TestEvent>;
    },
  };
  const listener = {
    isShown: () => true,
    tell: (_: unknown, event: { kind: string }) => void sizes.push((event as TestEvent).count),
    fail: (error: unknown) => expect.fail(String(error)),
  };
  await new Inspector(run as unknown as Run, listener, false).inspectIdle(() => true);
  return sizes;
}

test("a first look that was slow because its graph was compiled does not keep the others from following", async () => {
  expect(await looksAtRest((size, isFirst) => size + (isFirst ? 2000 : 0))).toEqual([100, 100, 500]);
});

test("a slow device only looks at as many pictures as it can in four seconds", async () => {
  expect(await looksAtRest((size) => 20 * size)).toEqual([100, 100]);
  expect(await looksAtRest((size) => 7 * size)).toEqual([100, 500]);
});
