import { afterEach, expect, test, vi } from "vitest";
import type { TestEvent } from "../../../../src/web/digits/contract.ts";
import { Inspector } from "../../../../src/web/digits/service/inspector.ts";
import type { Run } from "../../../../src/web/digits/service/run.ts";

afterEach(() => vi.restoreAllMocks());

/** The sizes of the evaluations of a paused network on a test set of 500 images. */
async function idleEvaluations(costOf: (size: number, isFirst: boolean) => number): Promise<number[]> {
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
  await new Inspector(run as unknown as Run, listener, { all: false, milliseconds: 200 }).inspectIdle(() => true);
  return sizes;
}

test("evaluates more images after a first evaluation that was slow because it compiled its graph", async () => {
  expect(await idleEvaluations((size, isFirst) => size + (isFirst ? 2000 : 0))).toEqual([100, 100, 500]);
});

test("evaluates only as many images as a slow device can in four seconds", async () => {
  expect(await idleEvaluations((size) => 20 * size)).toEqual([100, 100]);
  expect(await idleEvaluations((size) => 7 * size)).toEqual([100, 500]);
});
