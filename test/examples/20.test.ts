import { expect, test } from "vitest";
import {
  contrastive,
  makeModel,
  makePairs,
  nearestCenter,
  recognized,
  trainSiamese,
} from "../../examples/20-siamese-network.ts";
import { digitAt, SIDE, smallDigits } from "../../examples/lib/digits.ts";
import { valuesOf } from "../../examples/lib/values.ts";
import { builtInDigits, constant, createEvaluator, summary } from "../../src/index.ts";
import { onBackends } from "./on-backends.ts";

const digits = builtInDigits({ train: 500, test: 200 });
const train = smallDigits(digits.train, 500);
const held = smallDigits(digits.test, 200);

test("half of the pairs show the same digit", () => {
  const { count, tensors } = makePairs(train, 40, 1);
  expect([...tensors["same"]!.values]).toEqual(Array.from({ length: 40 }, (_, pair) => 1 - (pair % 2)));
  const textOf = (values: ArrayLike<number>) => Array.from(values).join();
  const known = new Map(Array.from(train.labels, (label, index) => [textOf(digitAt(train, index)), label]));
  const digitsOf = (side: "left" | "right") =>
    Array.from({ length: count }, (_, pair) =>
      known.get(textOf(tensors[side]!.values.subarray(pair * SIDE * SIDE, (pair + 1) * SIDE * SIDE))),
    );
  const [left, right] = [digitsOf("left"), digitsOf("right")];
  left.forEach((digit, pair) => expect(digit === right[pair]).toBe(pair % 2 === 0));
  expect(new Set(left).size).toBe(10);
  expect(left).not.toContain(undefined);
});

test("both images share their weights", () => {
  const { rows, parameters } = summary(makeModel());
  expect(parameters).toBe(196 * 64 + 64 + 64 * 32 + 32 + 32 * 2 + 2);
  expect(rows.map(({ name }) => name)).toEqual(["layers.toPoint"]);
});

test("a point is nearest to the center of its digit or not", () => {
  const labels = Array.from({ length: 20 }, (_, index) => index % 10);
  const places = labels.flatMap((label) => [10 * label, 0]);
  expect(nearestCenter(places, labels)).toBe(1);
  // With one of the two 9s among the 0s, their center is between the 4s and the 5s, and both are nearer to others.
  places[2 * 19] = 1;
  expect(nearestCenter(places, labels)).toBe(0.9);
});

onBackends("siamese network", (backend) => {
  test("has the contrastive loss computed on paper, and counts the pairs on the right side of ½", async () => {
    const distance = constant([0.2, 0.6, 0.2, 0.6, 1.4]);
    const same = constant([1, 1, 0, 0, 0]);
    const values = await valuesOf(backend(), {
      loss: contrastive({ distance }, { same }),
      right: recognized({ distance }, { same }),
    });
    [0.02, 0.18, 0.32, 0.08, 0].forEach((loss, pair) => expect(values.loss[pair]).toBeCloseTo(loss, 6));
    expect(values.right).toEqual([1, 0, 0, 1, 1]);
  });

  test("its distance is that of the points, in both orders", async () => {
    const session = backend().createSession();
    const evaluator = createEvaluator({ model: makeModel(), backend: backend(), session });
    const images = [4, 7].map((index) => digitAt(held, index));
    const [one, other] = [
      await evaluator.predict({ left: images[0]!, right: images[1]! }),
      await evaluator.predict({ left: images[1]!, right: images[0]! }),
    ];
    const gap = Math.hypot(one.point[0]! - other.point[0]!, one.point[1]! - other.point[1]!);
    expect(gap).toBeGreaterThan(0.05);
    expect(one.distance[0]).toBeCloseTo(gap, 4);
    expect(other.distance).toEqual(one.distance);
    session.dispose();
  });

  test("brings equal digits together", async () => {
    const {
      losses,
      recognized: share,
      before,
      after,
    } = await trainSiamese(backend(), {
      train,
      test: held,
      pairs: 2000,
      epochs: 3,
    });
    expect(losses).toHaveLength(6);
    // Points that are all in one place have the loss 1/4, and those that are all at the distance ½ have 1/8.
    expect(losses.at(-1)).toBeLessThan(0.11);
    expect(share).toBeGreaterThan(0.6);
    expect(nearestCenter(before, held.labels)).toBeLessThan(0.25);
    expect(nearestCenter(after, held.labels)).toBeGreaterThan(0.35);
  });
});
