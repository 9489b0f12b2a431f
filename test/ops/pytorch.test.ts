/*
 * The CPU backend in float64 beside PyTorch, whose results are in pytorch/results.json. If a comparison changes, run
 * pytorch/record.ts again.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { comparisons } from "./pytorch/all.ts";
import { computed, differences, nameOf, type Recorded } from "./pytorch/comparison.ts";

const file = new URL("pytorch/results.json", import.meta.url);
const recorded = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, Recorded>>;

/** Differences that have a reason. All others are roundings of the file, which has ten digits. */
const LARGEST: Readonly<Record<string, number>> = {
  // The gradient is a product with shares that are held as float32.
  resizeBilinear2d: 2 ** -23,
};
const ROUNDING = 1e-9;

/** Ops that PyTorch does not have, or only with other random numbers. */
const WITHOUT = new Set([
  "dropoutMask",
  "drawWindows",
  "firstNonFinite",
  "pack",
  "packFloat16",
  "randomNormal",
  "randomUniform",
  "replaceIf",
]);

test.each(comparisons.map((comparison) => [nameOf(comparison), comparison] as const))(
  "%s",
  async (name, comparison) => {
    const found = await computed(comparison);
    expect(Object.keys(found)).toEqual(Object.keys(recorded[name] ?? {}));
    const { output, gradient } = differences(found, recorded[name]!);
    const largest = LARGEST[comparison.op] ?? ROUNDING;
    expect(output).toBeLessThanOrEqual(largest);
    expect(gradient).toBeLessThanOrEqual(largest);
  },
);

test("what is recorded belongs to a comparison, and comparisons have different names", () => {
  expect(Object.keys(recorded).toSorted()).toEqual(comparisons.map(nameOf).toSorted());
});

test("every op of docs/ops.md is compared, unless PyTorch does not have it", () => {
  const page = readFileSync(new URL("../../docs/ops.md", import.meta.url), "utf8");
  const tables = page.split("\n\n").filter((block) => block.startsWith("| op |"));
  const listed = tables.flatMap((table) => [...table.matchAll(/^\| `(\w+)`/gm)].map(([, op]) => op!));
  const compared = new Set(comparisons.map(({ op }) => op));
  expect(listed.length).toBeGreaterThan(80);
  expect(listed.filter((op) => !compared.has(op) && !WITHOUT.has(op))).toEqual([]);
  expect([...WITHOUT].filter((op) => compared.has(op) || !listed.includes(op))).toEqual([]);
});
