import { describe, expect, test } from "vitest";
import { assert, boolean, infiniteStream, integer, property } from "fast-check";
import { decodeChange, encodeChange } from "../../../src/cluster/training/encode.ts";
import type { ValueLayout } from "../../../src/cluster/training/layout.ts";
import { meanChange, outerStep, type OuterState } from "../../../src/cluster/training/outer.ts";
import { clippingFactors } from "../../../src/cluster/training/outliers.ts";
import { nextRanges, stepsIn, without, type OpenSteps } from "../../../src/cluster/training/ranges.ts";
import {
  commitRound,
  firstState,
  isFinished,
  tasksOf,
  type Contribution,
  type RoundTask,
} from "../../../src/cluster/training/rounds.ts";

const layout: ValueLayout = {
  size: 3,
  slices: [
    { name: "weight", shape: [2], first: 0, size: 2, isState: false },
    { name: "mean", shape: [1], first: 2, size: 1, isState: true },
  ],
};

const options = {
  layout,
  innerSteps: 4,
  outer: { learningRate: 0.5, momentum: 0.5 },
  changeType: "float32",
  totalSteps: 14,
} as const;

const contribution = ({ worker, range }: RoundTask, values: readonly number[]): Contribution => ({
  worker,
  range,
  ownStep: 0,
  examples: 10 * range.count,
  loss: 1,
  change: encodeChange(Float32Array.from(values), "float32"),
});

describe("ranges of steps", () => {
  test("give workers equal numbers of steps where fewer are left than they could train", () => {
    expect(nextRanges([{ first: 10, count: 10 }], 3, 2)).toEqual([
      { first: 10, count: 2 },
      { first: 12, count: 2 },
      { first: 14, count: 2 },
    ]);
    expect(nextRanges([{ first: 6, count: 4 }], 3, 100).map(({ count }) => count)).toEqual([2, 2]);
  });

  test("begin with the steps that were lost, and do not cross a gap", () => {
    const open = without([{ first: 0, count: 10 }], { first: 2, count: 3 });
    expect(open).toEqual([
      { first: 0, count: 2 },
      { first: 5, count: 5 },
    ]);
    expect(nextRanges(open, 3, 4)).toEqual([
      { first: 0, count: 2 },
      { first: 5, count: 3 },
      { first: 8, count: 2 },
    ]);
    expect(() => without(open, { first: 1, count: 2 })).toThrow(/steps 1 … 2: some of them were committed before/);
  });

  test("cover a run exactly once, whichever workers are lost", () => {
    assert(
      property(
        integer({ min: 1, max: 60 }),
        integer({ min: 1, max: 6 }),
        integer({ min: 1, max: 12 }),
        infiniteStream(boolean()),
        (steps, workers, innerSteps, lost) => {
          let open: OpenSteps = [{ first: 0, count: steps }];
          const trained: number[] = [];
          for (let round = 0; open.length > 0 && round < 1000; round++) {
            const ranges = nextRanges(open, workers, innerSteps);
            expect(ranges.length).toBeLessThanOrEqual(workers);
            for (const range of ranges) {
              expect(range.count).toBeLessThanOrEqual(innerSteps);
              // Every third round is complete, so that the run ends.
              if (round % 3 > 0 && lost.next().value) continue;
              open = without(open, range);
              for (let step = range.first; step < range.first + range.count; step++) trained.push(step);
            }
          }
          expect(stepsIn(open)).toBe(0);
          expect(trained.sort((a, b) => a - b)).toEqual(Array.from({ length: steps }, (_, step) => step));
        },
      ),
    );
  });
});

describe("the outer step", () => {
  test("weights changes by examples, in the order of the workers' ids", () => {
    const change = (worker: string, examples: number, values: number[]) => ({
      worker,
      examples,
      change: Float32Array.from(values),
      factor: 1,
    });
    const [one, two] = [change("b", 30, [1, 0, 4]), change("a", 10, [5, 2, 0])];
    expect([...meanChange([one, two])]).toEqual([2, 0.5, 3]);
    expect(meanChange([two, one])).toEqual(meanChange([one, two]));
  });

  test("is Nesterov's for parameters, and the mean for states", () => {
    const start = { values: Float32Array.of(1, 2, 3), velocity: Float32Array.of(0, 4, 0) };
    const after = outerStep(layout, start, Float32Array.of(2, 2, 2), { learningRate: 0.5, momentum: 0.5 });
    // v = 0.5 · v + c, w = w + 0.5 (c + 0.5 v)
    expect([...after.velocity]).toEqual([2, 4, 2]);
    expect([...after.values]).toEqual([2.5, 4, 5]);
    expect([...start.values]).toEqual([1, 2, 3]);
  });

  test("equals PyTorch's SGD with Nesterov momentum on the negative change", () => {
    // torch.optim.SGD([w], lr=0.7, momentum=0.9, nesterov=True), two steps with the gradients -0.5 and 0.25 from w = 1.
    let state: OuterState = { values: Float32Array.of(1, 0, 0), velocity: new Float32Array(3) };
    for (const change of [0.5, -0.25])
      state = outerStep(layout, state, Float32Array.of(change, 0, 0), {
        learningRate: 0.7,
        momentum: 0.9,
      });
    expect(state.values[0]).toBeCloseTo(1.616, 6);
  });
});

describe("a round", () => {
  const start = firstState(Float32Array.of(0, 0, 0), options);

  test("leaves the steps of a lost worker open", () => {
    const tasks = tasksOf(start, ["b", "a", "c"], options);
    expect(tasks.map(({ worker, range: { first, count } }) => [worker, first, count])).toEqual([
      ["a", 0, 4],
      ["b", 4, 4],
      ["c", 8, 4],
    ]);
    const made = [contribution(tasks[2]!, [1, 1, 1]), contribution(tasks[0]!, [1, 1, 1])];
    const { state, commit } = commitRound(start, tasks, made, options);
    expect(commit.participants.map(({ worker }) => worker)).toEqual(["a", "c"]);
    expect([state.round, state.steps]).toEqual([1, 8]);
    const open = [
      { first: 4, count: 4 },
      { first: 12, count: 2 },
    ];
    expect(state.open).toEqual(open);
    const again = tasksOf(state, ["a", "c"], options);
    expect(again.map(({ range, scheduleStep, scheduleStride }) => [range.first, scheduleStep, scheduleStride])).toEqual(
      [
        [4, 8, 2],
        [7, 8, 2],
      ],
    );
    const next = commitRound(
      state,
      again,
      again.map((task) => contribution(task, [0, 0, 0])),
      options,
    ).state;
    expect(next.open).toEqual([{ first: 12, count: 2 }]);
    expect(isFinished(next, options)).toBe(false);
  });

  test.each<[string, (made: Contribution) => Contribution, RegExp]>([
    [
      "of other steps",
      (made) => ({ ...made, range: { first: 0, count: 3 } }),
      /worker a: its steps 0 … 2 are not those/,
    ],
    ["of another worker", (made) => ({ ...made, worker: "z" }), /worker z: its steps 0 … 3 are not those/],
    [
      "with NaN",
      (made) => ({ ...made, change: encodeChange(Float32Array.of(0, NaN, 0), "float32") }),
      /worker a: value 1 is NaN/,
    ],
    [
      "of another size",
      (made) => ({ ...made, change: encodeChange(Float32Array.of(0), "float32") }),
      /worker a: 4 bytes for 3 float32 values/,
    ],
  ])("refuses a change %s", (_name, change, message) => {
    const tasks = tasksOf(start, ["a"], options);
    expect(() => commitRound(start, tasks, [change(contribution(tasks[0]!, [1, 1, 1]))], options)).toThrow(message);
  });

  test("clips a change that is far larger than the others, and records it", () => {
    expect(clippingFactors([1, 2, 100])).toEqual([1, 1, 0.08]);
    expect(clippingFactors([1, 100])).toEqual([1, 1]);
    const tasks = tasksOf(start, ["a", "b", "c"], { ...options, innerSteps: 3 });
    const changes = [
      [1, 0, 0],
      [2, 0, 0],
      [100, 0, 0],
    ];
    const made = tasks.map((task, index) => contribution(task, changes[index]!));
    const plain = { ...options, outer: { learningRate: 1, momentum: 0 } };
    const { state, commit } = commitRound(start, tasks, made, plain);
    expect(commit.participants.map(({ factor }) => factor)).toEqual([1, 1, 0.08]);
    expect(state.values[0]).toBeCloseTo((1 + 2 + 8) / 3, 6);
  });
});

describe("encoded changes", () => {
  test("float32 keeps the bits", () => {
    const change = Float32Array.of(1, -0, 1e-38, Math.PI);
    expect(decodeChange("x", encodeChange(change, "float32"), 4)).toEqual(change);
  });

  test("float16 keeps 11 bits over a wide range, and needs half the bytes", () => {
    const change = Float32Array.from({ length: 200 }, (_, index) => (index % 2 ? -1 : 1) * 1.2345e-9 * 1.1 ** index);
    const encoded = encodeChange(change, "float16");
    expect(encoded.bytes).toHaveLength(400);
    decodeChange("x", encoded, 200).forEach((value, index) =>
      expect(Math.abs(value / change[index]! - 1)).toBeLessThanOrEqual(2 ** -11),
    );
    expect(decodeChange("x", encodeChange(new Float32Array(2), "float16"), 2)).toEqual(new Float32Array(2));
  });

  test("float16 reads bytes from an odd place of a message", () => {
    const { bytes, ...rest } = encodeChange(Float32Array.of(1, 2), "float16");
    const message = Uint8Array.of(7, ...bytes);
    expect([...decodeChange("x", { ...rest, bytes: message.subarray(1) }, 2)]).toEqual([1, 2]);
  });

  test.each([
    [{ type: "float16", exponent: 0, bytes: Uint8Array.of(0, 0x7c) } as const, /value 0 is Infinity/],
    [{ type: "float16", exponent: 1e9, bytes: Uint8Array.of(0, 0) } as const, /the exponent is 1000000000/],
  ])("refuses what is not finite", (encoded, message) => {
    expect(() => decodeChange("worker a", encoded, 1)).toThrow(message);
  });
});
