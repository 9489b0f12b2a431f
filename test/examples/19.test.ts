import { expect, test } from "vitest";
import { blocks, byFunction, bySequence, trainNetwork, withValuesOf } from "../../examples/19-residual-network.ts";
import { smallDigits } from "../../examples/lib/digits.ts";
import { builtInDigits, summary } from "../../src/index.ts";
import { acquireWasmBackend } from "../wasm.ts";
import { onBackends } from "./on-backends.ts";

const digits = builtInDigits({ train: 640, test: 200 });
const test200 = smallDigits(digits.test, 200);

test("has the same parameters in both forms: two convolutions a block, and one for the block that halves the images", () => {
  expect(blocks(4)).toEqual([
    [8, 1],
    [8, 1],
    [16, 2],
    [16, 1],
  ]);
  const weights = 9 * 8 + 4 * (9 * 8 * 8) + (8 * 16 + 9 * 8 * 16) + 3 * (9 * 16 * 16);
  const norms = 2 * (5 * 8 + 4 * 16);
  for (const model of [byFunction(4), bySequence(4)]) {
    expect(summary(model).parameters).toBe(weights + norms + 16 * 10 + 10);
  }
  const [byName, byPosition] = [byFunction(4), bySequence(4)].map(({ parameters }) =>
    parameters.map(({ shape }) => shape),
  );
  expect(byName).toEqual(byPosition);
});

onBackends("residual network", (backend) => {
  test("has the same dispatches, losses and accuracy in both forms", async () => {
    const options = { train: smallDigits(digits.train, 128), test: test200, epochs: 1 };
    const sequence = bySequence(2);
    const found = await trainNetwork(backend(), withValuesOf(sequence, byFunction(2)), options);
    expect(found).toEqual(await trainNetwork(backend(), sequence, options));
    expect(found.losses).toHaveLength(4);
    expect(new Set(found.losses).size).toBe(4);
  });
});

test("18 layers learn with skip connections, and hardly without", async () => {
  const backend = await acquireWasmBackend();
  const options = { train: smallDigits(digits.train, 640), test: test200, epochs: 5 };
  const [residual, plain] = [
    await trainNetwork(backend, byFunction(8), options),
    await trainNetwork(backend, byFunction(8, { skip: false }), options),
  ];
  const end = ({ losses }: typeof plain) => losses.slice(-10).reduce((total, loss) => total + loss / 10, 0);
  expect(end(residual)).toBeLessThan(end(plain) / 1.5);
  expect(residual.testAccuracy).toBeGreaterThan(plain.testAccuracy);
  backend.dispose();
});
