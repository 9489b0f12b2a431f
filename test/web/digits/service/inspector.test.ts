import { afterEach, expect, test, vi } from "vitest";
import type { TestEvent } from "../../../../src/web/digits/contract.ts";
import { Inspector } from "../../../../src/web/digits/service/inspector.ts";
import type { Run } from "../../../../src/web/digits/service/run.ts";

afterEach(() => vi.restoreAllMocks());

/** An inspector of a network with 500 test images, a clock, and the sizes of its evaluations. */
function inspectorOf(forwardMilliseconds: number, costOf: (size: number, isFirst: boolean) => number) {
  const clock = { now: 0 };
  vi.spyOn(performance, "now").mockImplementation(() => clock.now);
  const sizes: number[] = [];
  const run = {
    options: { data: { test: { count: 500 } } },
    forwardMilliseconds,
    watchDevice: () => () => false,
    weights: async () => undefined,
    test: async (most: number) => {
      const count = Math.min(most, 500);
      clock.now += costOf(count, !sizes.includes(count));
      return { count, pictures: new Uint8Array() } as Partial<TestEvent>;
    },
  };
  const listener = {
    isShown: () => true,
    tell: (_: unknown, event: { kind: string }) => void sizes.push((event as TestEvent).count),
    fail: (error: unknown) => expect.fail(String(error)),
  };
  const inspector = new Inspector(run as unknown as Run, listener, { all: false, milliseconds: 200 });
  return { inspector, clock, sizes };
}

/** The sizes of the evaluations of a paused network. */
async function idleEvaluations(costOf: (size: number, isFirst: boolean) => number): Promise<number[]> {
  const { inspector, sizes } = inspectorOf(10, costOf);
  await inspector.inspectIdle(() => true);
  return sizes;
}

test("evaluates more images after a first evaluation that was slow because it compiled its graph", async () => {
  expect(await idleEvaluations((size, isFirst) => size + (isFirst ? 2000 : 0))).toEqual([100, 100, 500]);
});

test("evaluates only as many images as a slow device can in four seconds", async () => {
  expect(await idleEvaluations((size) => 20 * size)).toEqual([100, 100]);
  expect(await idleEvaluations((size) => 7 * size)).toEqual([100, 500]);
});

test("evaluates again during training after a first evaluation that was very slow because it compiled its graph", async () => {
  const { inspector, clock, sizes } = inspectorOf(0.1, (size, isFirst) => 0.1 * size + (isFirst ? 20_000 : 0));
  for (let time = 0; time < 3; time++) {
    inspector.inspectDue();
    await new Promise((resolve) => setTimeout(resolve));
    clock.now += 100_000;
  }
  expect(sizes).toEqual([500, 500, 500]);
});

test("waits for a share of the time between evaluations during training, in which compilation does not count", async () => {
  const { inspector, clock, sizes } = inspectorOf(0.1, (_, isFirst) => 150 + (isFirst ? 2000 : 0));
  const countAfter = async (milliseconds: number) => {
    clock.now += milliseconds;
    inspector.inspectDue();
    await new Promise((resolve) => setTimeout(resolve));
    return sizes.length;
  };
  expect(await countAfter(0)).toBe(1);
  expect(await countAfter(399)).toBe(1);
  expect(await countAfter(1)).toBe(2);
  // 150 ms are 0.3 of 500 ms.
  expect(await countAfter(499)).toBe(2);
  expect(await countAfter(1)).toBe(3);
});
