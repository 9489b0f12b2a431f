import { expect, test } from "vitest";
import { defineGraph, flip, input, reshape, type Tensor } from "../../src/index.ts";
import { acquireBackend } from "../gpu.ts";

/** Elements that are moved several times, in one kernel. */
function moved(x: Tensor, times: number): Tensor {
  let result = x;
  for (let time = 0; time < times; time++) result = flip(reshape(result, time % 2 === 0 ? [6, 4] : [3, 8]), 1);
  return result;
}

/** The length of the WGSL that moves elements several times. */
async function lengthOf(times: number): Promise<number> {
  let length = 0;
  const backend = await acquireBackend({ onKernel: (_name, code) => (length += code.length) });
  await backend.createSession().compile(defineGraph({ y: moved(input("x", [24]), times) }));
  backend.dispose();
  return length;
}

test("the WGSL of elements grows linearly with the number of times that they are moved", async () => {
  const [two, five, eight] = [await lengthOf(2), await lengthOf(5), await lengthOf(8)];
  expect((eight - five) / (five - two)).toBeCloseTo(1, 1);
});
