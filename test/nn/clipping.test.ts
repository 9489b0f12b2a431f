import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { constant } from "../../src/graph/leaves.ts";
import { clipByGlobalNorm, globalNorm } from "../../src/nn/index.ts";
import { pack } from "../../src/ops/layout/index.ts";
import { evaluate } from "./run.ts";

/** The norm is 13 = √(3² + 4² + 12²), over both tensors together. */
const gradients = [constant([3, -4], [1, 2]), constant([12], [1])];

async function clipped(maxNorm: number, packed = false): Promise<number[]> {
  const { outputs } = await evaluate({ clipped: clipByGlobalNorm(packed ? pack(gradients) : gradients, maxNorm) });
  return [outputs.clipped![0]!, outputs.clipped![1]!, outputs.clipped![64]!];
}

describe("clipByGlobalNorm", () => {
  test("scales all gradients by one factor if their global norm is larger", async () => {
    const found = await clipped(6.5);
    [1.5, -2, 6].forEach((wanted, index) => expect(found[index]).toBeCloseTo(wanted, 14));
    expect(await clipped(6.5, true)).toEqual(found);
  });

  test("does not change smaller gradients", async () => {
    expect(await clipped(13)).toEqual([3, -4, 12]);
    expect(await clipped(20)).toEqual([3, -4, 12]);
  });

  test("keeps zero gradients zero", async () => {
    const { outputs } = await evaluate({ clipped: clipByGlobalNorm([constant([0, 0])], 1) });
    expect(new Set(outputs.clipped)).toEqual(new Set([0]));
  });

  test("globalNorm is the norm", async () => {
    expect((await evaluate({ norm: globalNorm(gradients) })).outputs.norm).toEqual([13]);
  });

  test.each([0, -1, NaN, Infinity])("refuses a norm of %s", (maxNorm) => {
    expect(() => clipByGlobalNorm(gradients, maxNorm)).toThrow(OptionError);
  });
});
