import { describe, expect, test } from "vitest";
import {
  advantages,
  EPISODES,
  hasFailed,
  learn,
  LONGEST,
  meanLength,
  push,
  type CartPole,
} from "../../examples/22-policy-gradient.ts";
import { Random } from "../../src/index.ts";
import { onBackends } from "./on-backends.ts";

describe("the cart and its pole", () => {
  test("move by Euler's method, with the accelerations computed by hand for a push at rest", () => {
    // The pole turns by −(10 / 1.1) / (0.5 (4/3 − 0.1/1.1)) = −14.634 rad/s², and the cart by (10 + 0.05 · 14.634) / 1.1.
    const [x, velocity, angle, rotation] = push([0, 0, 0, 0], 10);
    expect([x, angle]).toEqual([0, 0]);
    expect(rotation / 0.02).toBeCloseTo(-14.6341, 4);
    expect(velocity / 0.02).toBeCloseTo(9.7561, 4);
    expect(push([1, 2, 0.1, -3], 0).filter((_, index) => index % 2 === 0)).toEqual([1 + 0.02 * 2, 0.1 - 0.02 * 3]);
  });

  test("gain the energy of the push, minus that of the friction", () => {
    const random = new Random(22);
    const [mass, pole, half] = [1.1, 0.1, 0.5];
    for (let count = 0; count < 20; count++) {
      const state = [0, random.uniform(-2, 2), random.uniform(-1, 1), random.uniform(-2, 2)] as const;
      const [, velocity, angle, rotation] = state;
      const force = random.uniform(-10, 10);
      const after = push(state, force);
      const [acceleration, rotationRate] = [(after[1] - velocity) / 0.02, (after[3] - rotation) / 0.02];
      const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
      // The time derivative of ½ M v² + m l v ω cos θ + ½ · 4/3 · m l² ω² + m g l cos θ.
      const power =
        mass * velocity * acceleration +
        pole * half * (acceleration * rotation * cosine + velocity * rotationRate * cosine) -
        pole * half * velocity * rotation ** 2 * sine +
        (4 / 3) * pole * half ** 2 * rotation * rotationRate -
        pole * 9.8 * half * rotation * sine;
      expect(power).toBeCloseTo(force * velocity - 0.0005 * Math.abs(velocity) - 0.000002 * rotation ** 2, 10);
    }
  });

  test("fail beyond 12° and 2.4 m, to both sides", () => {
    const failed = (x: number, degrees: number) => hasFailed([x, 0, (degrees * Math.PI) / 180, 0]);
    expect([failed(2.39, 11.9), failed(-2.39, -11.9)]).toEqual([false, false]);
    expect([failed(2.41, 0), failed(-2.41, 0), failed(0, 12.1), failed(0, -12.1)]).toEqual([true, true, true, true]);
  });
});

test("advantages are discounted returns minus their mean over the episodes that are still running", () => {
  const found = advantages([1, 3]);
  // The returns are [1] and [2.9701, 1.99, 1].
  expect(found.map((values) => values.map((value) => Number(value.toFixed(6))))).toEqual([[-0.98505], [0.98505, 0, 0]]);
});

onBackends("policy gradient", (backend) => {
  test("keeps the pole up for nearly 200 steps after 15 updates, and for about 20 before", async () => {
    const history = await learn(backend(), { seed: 1, updates: 15 });
    expect(history.map((episodes) => episodes.length)).toEqual(new Array(15).fill(EPISODES));
    expect(meanLength(history[0]!)).toBeLessThan(40);
    // With the gradient of the opposite sign, the pole falls after 10 steps.
    expect(meanLength(history.slice(-3).flat())).toBeGreaterThan(0.95 * LONGEST);
    const rows = history.at(-1)!.flatMap(({ states }): CartPole[] => states);
    expect(rows.some(hasFailed)).toBe(false);
    // It balances rather than swings: most of the time within 4°.
    expect(rows.filter(([, , angle]) => Math.abs(angle) < 0.07).length).toBeGreaterThan(0.7 * rows.length);
  });
});
