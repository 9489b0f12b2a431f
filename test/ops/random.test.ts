import { expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { stepScalar } from "../../src/graph/leaves.ts";
import { randomNormal, randomUniform } from "../../src/ops/random/index.ts";

const COUNT = 200_000;

async function draw(make: typeof randomUniform): Promise<number[]> {
  const session = createCpuBackend().createSession();
  const numbers = make(
    [COUNT],
    stepScalar("key", () => 12_345, "uint32"),
  );
  const executable = await session.compile(defineGraph({ numbers }));
  await executable.run(0, 1);
  return [...(await executable.read("numbers"))];
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test("uniform numbers fill [0, 1) evenly", async () => {
  const numbers = await draw(randomUniform);
  expect(Math.min(...numbers.slice(0, 1000))).toBeGreaterThanOrEqual(0);
  expect(numbers.every((value) => value >= 0 && value < 1)).toBe(true);
  const tenths = Array.from(
    { length: 10 },
    (_, tenth) => numbers.filter((value) => Math.floor(10 * value) === tenth).length,
  );
  // Six standard deviations of a binomial count.
  for (const count of tenths) expect(Math.abs(count - COUNT / 10)).toBeLessThan(6 * Math.sqrt(COUNT * 0.1 * 0.9));
});

test("normal numbers have the moments and the tails of the standard normal distribution", async () => {
  const numbers = await draw(randomNormal);
  const spread = 6 / Math.sqrt(COUNT);
  expect(Math.abs(mean(numbers))).toBeLessThan(spread);
  expect(Math.abs(mean(numbers.map((value) => value ** 2)) - 1)).toBeLessThan(Math.SQRT2 * spread);
  expect(Math.abs(mean(numbers.map((value) => value ** 4)) - 3)).toBeLessThan(Math.sqrt(96) * spread);
  const beyond = numbers.filter((value) => Math.abs(value) > 3).length / COUNT;
  expect(beyond).toBeGreaterThan(0.0022);
  expect(beyond).toBeLessThan(0.0032);
});
