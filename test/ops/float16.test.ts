import { describe, expect, test } from "vitest";
import { defineGraph, topologicalOrder } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { matmul, type MatmulAttributes } from "../../src/ops/matmul/index.ts";
import { toFloat16 } from "../../src/ops/matmul/precision.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { DeviceError, GraphError } from "../../src/errors.ts";
import { acquireBackend, withFloat16 } from "../gpu.ts";

/** The number with these 16 bits (IEEE 754, section 3.4). */
function valueOf(bits: number): number {
  const [exponent, digits] = [(bits >> 10) & 31, bits & 1023];
  const magnitude = exponent === 0 ? digits * 2 ** -24 : (1 + digits / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -magnitude : magnitude;
}

const FIRST_NORMAL = 0x0400;
const LARGEST = 0x7bff;

describe("toFloat16", () => {
  test("keeps every float16 number except subnormal ones, which become 0", () => {
    for (let bits = 0; bits <= LARGEST; bits++) {
      const expected = bits < FIRST_NORMAL ? 0 : valueOf(bits);
      if (toFloat16(valueOf(bits)) !== expected) expect.fail(`${valueOf(bits)} became ${toFloat16(valueOf(bits))}`);
      expect(toFloat16(valueOf(bits | 0x8000)) === -expected).toBe(true);
    }
  });

  test("rounds to the nearest number, and ties to even", () => {
    for (let bits = FIRST_NORMAL; bits < LARGEST; bits++) {
      const [low, high] = [valueOf(bits), valueOf(bits + 1)];
      const middle = (low + high) / 2;
      const found = [middle, middle * (1 - 2 ** -22), middle * (1 + 2 ** -22)].map(toFloat16);
      const expected = [bits % 2 === 0 ? low : high, low, high];
      if (found.join() !== expected.join()) expect.fail(`between ${low} and ${high}: ${found.join()}`);
    }
  });

  test.each([
    [65_505, 65_504],
    [1e30, 65_504],
    [-7e4, -65_504],
    [Infinity, Infinity],
    [-Infinity, -Infinity],
    [NaN, NaN],
    [2 ** -14 * (1 - 2 ** -12), 2 ** -14],
    [2 ** -14 * (1 - 2 ** -10), 0],
    [1e-300, 0],
    [0, 0],
  ])("of %d is %d", (value, expected) => {
    expect(toFloat16(value)).toBe(expected);
  });
});

test("the products of the gradient have the same precision", () => {
  const [a, b] = [input("a", [2, 3]), input("b", [3, 4])];
  for (const precision of ["float16", "float32"] as const) {
    const found = gradients(sum(matmul(a, b, { precision })), [a, b]);
    const products = topologicalOrder(found).filter(({ op }) => op.name === "matmul");
    expect(products.map(({ attributes }) => (attributes as MatmulAttributes).precision)).toEqual([
      precision,
      precision,
    ]);
  }
});

test("refuses another precision", () => {
  const x = input("x", [2, 2]);
  expect(() => matmul(x, x, { precision: "float8" as "float16" })).toThrow(GraphError);
  expect(() => matmul(x, x, { precision: "float8" as "float16" })).toThrow(
    /unknown precision "float8".*float32, float16/,
  );
});

test("an adapter without shader-f16 refuses float16, naming itself, and supports float32", async () => {
  const backend = await acquireBackend({ features: ["subgroups"] });
  const x = input("x", [2, 2]);
  const session = backend.createSession();
  const compile = (precision: "float16" | "float32") =>
    session.compile(defineGraph({ y: matmul(x, x, { precision }) }));
  await expect(compile("float16")).rejects.toThrow(DeviceError);
  await expect(compile("float16")).rejects.toThrow(
    `${backend.adapter.name} does not have the feature shader-f16. Use precision: "float32"`,
  );
  expect((await compile("float32")).dispatches.length).toBe(1);
  backend.dispose();
});

test("NaN and infinity propagate through a product in float16", async () => {
  const backend = await acquireBackend();
  const [x, y] = [input("x", [3, 1]), input("y", [1, 2])];
  const session = backend.createSession();
  await withFloat16(backend, async () => {
    const executable = await session.compile(defineGraph({ z: matmul(x, y, { precision: "float16" }) }));
    session.write(x, Float32Array.of(NaN, Infinity, 3));
    session.write(y, Float32Array.of(1, -2));
    await executable.run(0, 1);
    expect([...(await executable.read("z"))]).toEqual([NaN, NaN, Infinity, -Infinity, 3, -6]);
  });
  backend.dispose();
});
