import { describe, expect, test } from "vitest";
import { GraphError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input, stepScalar } from "../../src/graph/leaves.ts";
import { sizeOf, type Tensor } from "../../src/graph/tensor.ts";
import { attention, rotateByPosition, type AttentionOptions } from "../../src/ops/attention/index.ts";
import { multiply, square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { slice } from "../../src/ops/indexing/index.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { gru, lstm } from "../../src/ops/recurrent/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { evaluate } from "../nn/run.ts";
import { acquireWasm } from "../wasm.ts";

const x = (...shape: number[]) => input("x", shape);

describe("attention", () => {
  const values = (rows: number, columns: number) =>
    constant(
      Array.from({ length: rows * columns }, (_, index) => Math.sin(index + 1)),
      [rows, columns],
    );
  const [q, k, v] = [values(2, 3), values(4, 3), values(4, 2)];

  test("to one key is the value of that key", async () => {
    const mask = constant([0, 0, 1, 0], [4]);
    const { outputs } = await evaluate({ y: attention(q, k, v, { mask }) });
    const own = [Math.sin(5), Math.sin(6)];
    [...own, ...own].forEach((value, index) => expect(outputs["y"]![index]).toBeCloseTo(value, 12));
  });

  test("of a query without keys is 0, and so are its gradients, which are finite", async () => {
    const mask = constant([1, 1, 0, 1, 0, 0, 0, 0], [2, 4]);
    const large = multiply(q, 1e4);
    const y = attention(large, k, v, { mask });
    const [ofQ, ofV] = gradients(sum(y), [large, v]);
    const { outputs } = await evaluate({ y, ofQ, ofV });
    expect(outputs["y"]!.slice(2)).toEqual([0, 0]);
    expect(outputs["ofQ"]!.slice(3)).toEqual([0, 0, 0]);
    // The rows of a softmax add up to 1, and one query has keys.
    expect(outputs["ofV"]!.reduce((total, value) => total + value, 0)).toBeCloseTo(2, 12);
    for (const found of Object.values(outputs)) expect(found.every(Number.isFinite)).toBe(true);
  });

  test("is fused from 256 keys on, if the leading axes are equal", () => {
    const kindOf = (...[queries, keys, options]: [Tensor, Tensor, AttentionOptions?]) =>
      attention(queries, keys, keys, options).op.name;
    expect(kindOf(x(2, 255, 4), x(2, 255, 4))).toBe("matmul");
    expect(kindOf(x(2, 256, 4), x(2, 256, 4), { causal: true })).toBe("fusedAttention");
    expect(kindOf(x(2, 1, 4), x(2, 256, 4))).toBe("fusedAttention");
    expect(kindOf(x(2, 256, 4), x(1, 256, 4))).toBe("matmul");
    expect(kindOf(x(2, 256, 257), x(2, 256, 257))).toBe("matmul");
    expect(kindOf(x(2, 256, 4), x(2, 256, 4), { precision: "float16" })).toBe("matmul");
  });

  test("fused, and its gradients, store no value for each query and key, and have the same bits for any number of threads", async () => {
    const [heads, length, width] = [4, 256, 8];
    const projected = input("projected", [heads, length, 3, width]);
    const [queries, keys, attended] = [0, 1, 2].map((part) =>
      reshape(slice(projected, [undefined, undefined, { start: part, end: part + 1 }]), [heads, length, width]),
    ) as [Tensor, Tensor, Tensor];
    const key = stepScalar("key", () => 7, "uint32");
    const y = attention(queries, keys, attended, { causal: true, dropout: { rate: 0.1, key } });
    const [gradient] = gradients(sum(square(y)), [projected]);
    const written = Float32Array.from({ length: projected.size }, (_, index) => Math.sin(index));
    const results = [1, 2, 3].map(async (threads) => {
      const { backend } = await acquireWasm(threads);
      const session = backend.createSession();
      const executable = await session.compile(defineGraph({ y, gradient: gradient! }));
      const sizes = executable.dispatches.flatMap(({ shapes }) => shapes.split("→")[1]!.match(/\[[^\]]*\]/g)!);
      const largest = Math.max(...sizes.map((shape) => sizeOf(JSON.parse(shape) as number[])));
      session.write(projected, written);
      await executable.run(0, 1);
      const found = [await executable.read("y"), await executable.read("gradient")];
      backend.dispose();
      return { largest, found };
    });
    const [one, ...others] = await Promise.all(results);
    expect(one!.largest).toBeLessThanOrEqual(projected.size);
    for (const other of others) expect(other.found).toEqual(one!.found);
  });

  test("refuses shapes that do not fit", () => {
    expect(() => attention(x(3, 4), x(5, 3), x(5, 2))).toThrow(GraphError);
    expect(() => attention(x(3, 4), x(5, 4), x(6, 2))).toThrow(
      "keys x float32[5, 4] and values x float32[6, 2] do not fit",
    );
    expect(() => attention(x(4), x(5, 4), x(5, 2))).toThrow(GraphError);
    expect(() => attention(x(3, 4), x(5, 4), x(5, 2), { causal: true })).toThrow("3 queries and 5 keys");
    expect(() => attention(x(3, 4), x(5, 4), x(5, 2), { mask: x(3) })).toThrow(
      "does not broadcast to the scores [3, 5]",
    );
  });
});

describe("rotateByPosition", () => {
  test("keeps products of vectors at the same distance, and the first position", async () => {
    const same = constant([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], [3, 4]);
    const { outputs } = await evaluate({ y: rotateByPosition(same) });
    const rows = [0, 4, 8].map((start) => outputs["y"]!.slice(start, start + 4)) as [number[], number[], number[]];
    const product = (a: number[], b: number[]) => a.reduce((total, value, index) => total + value * b[index]!, 0);
    expect(rows[0]).toEqual([1, 2, 3, 4]);
    expect(product(rows[0], rows[1])).toBeCloseTo(product(rows[1], rows[2]), 12);
    expect(product(rows[0], rows[1])).not.toBeCloseTo(product(rows[0], rows[2]), 3);
    // The first pair turns by one radian per position.
    expect(rows[1][0]).toBeCloseTo(Math.cos(1) - 2 * Math.sin(1), 12);
    expect(rows[1][1]).toBeCloseTo(2 * Math.cos(1) + Math.sin(1), 12);
  });

  test("refuses odd widths, other axes and bases", () => {
    expect(() => rotateByPosition(x(3, 5))).toThrow(GraphError);
    expect(() => rotateByPosition(x(3, 4), { axis: 1 })).toThrow(GraphError);
    expect(() => rotateByPosition(x(4))).toThrow(GraphError);
    expect(() => rotateByPosition(x(3, 4), { base: 1 })).toThrow(GraphError);
  });
});

test("recurrent ops refuse weights of other sizes", () => {
  const weights = { weight: x(3, 8), recurrentWeight: x(2, 8) };
  expect(lstm(x(1, 4, 3), weights).shape).toEqual([1, 2]);
  expect(() => gru(x(1, 4, 3), weights)).toThrow("gru: its weight is x float32[3, 8] instead of [3, 6]");
  expect(() => lstm(x(1, 4, 2), weights)).toThrow("weight");
  expect(() => lstm(x(4, 3), weights)).toThrow("is no batch of sequences");
  expect(() => lstm(x(1, 4, 3), { ...weights, bias: x(2) })).toThrow("its bias is x float32[2] instead of [8]");
});
