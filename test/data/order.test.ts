import { expect, test } from "vitest";
import { epochOrder } from "../../src/data/order.ts";

test.each([1, 2, 17, 10_000])("an order of %i examples visits each once", (count) => {
  const order = epochOrder(count, 3, 5);
  expect(order).toBeInstanceOf(Uint32Array);
  expect(Uint32Array.from(order).sort()).toEqual(Uint32Array.from({ length: count }, (_, index) => index));
});

test("an order depends only on seed and epoch", () => {
  expect(epochOrder(1000, 1, 2)).toEqual(epochOrder(1000, 1, 2));
  const others = [epochOrder(1000, 1, 3), epochOrder(1000, 2, 2), epochOrder(1000, 2, 1)];
  for (const other of others) expect(other).not.toEqual(epochOrder(1000, 1, 2));
});

test("orders of adjacent epochs and seeds agree no more often than by chance", () => {
  const count = 5000;
  const pairs = [
    [epochOrder(count, 1, 0), epochOrder(count, 1, 1)],
    [epochOrder(count, 1, 0), epochOrder(count, 2, 0)],
    [epochOrder(count, 1, 0), Uint32Array.from({ length: count }, (_, index) => index)],
  ] as const;
  // The number of equal places is a Poisson variable of mean 1: more than 9 has a chance of 1e-7.
  for (const [one, other] of pairs) {
    expect(one.filter((example, place) => example === other[place]).length).toBeLessThan(10);
  }
});

test("the order of seed 1, epoch 0 never changes, so that runs can be resumed", () => {
  expect([...epochOrder(10, 1, 0)]).toEqual([7, 0, 3, 6, 5, 8, 1, 4, 9, 2]);
});
