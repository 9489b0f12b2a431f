/*
 * The page of relaxed-simd.test.ts: it writes to the console the largest error of a product on each backend and the number
 * of files that were fetched so far, and then a line with their names, which ends it.
 */
import {
  browserWasm,
  createCpuBackend,
  createWasmBackend,
  defineGraph,
  input,
  matmul,
  Random,
} from "../../src/index.ts";
import type { Backend } from "../../src/index.ts";

const [ROWS, INNER, COLUMNS] = [33, 300, 21] as const;
const random = new Random(7);
const draw = (size: number) => Float32Array.from({ length: size }, () => random.uniform(-1, 1));
const values = { left: draw(ROWS * INNER), right: draw(INNER * COLUMNS) };

async function product(backend: Backend): Promise<ArrayLike<number>> {
  const [left, right] = [input("left", [ROWS, INNER]), input("right", [INNER, COLUMNS])];
  const session = backend.createSession();
  const executable = await session.compile(defineGraph({ out: matmul(left, right) }));
  session.write(left, values.left);
  session.write(right, values.right);
  await executable.run(0, 1);
  return executable.read("out");
}

/** The files that are fetched; the browser's own list of them ends after 250. */
const loaded: string[] = [];
const { fetch } = globalThis;
globalThis.fetch = (resource, options) => {
  loaded.push(String(resource).split("/").at(-1)!);
  return fetch(resource, options);
};

const wanted = await product(createCpuBackend({ precision: "float64" }));
for (const relaxedSimd of [false, true]) {
  const backend = await createWasmBackend(browserWasm(), { relaxedSimd });
  const errors = Array.from(await product(backend), (value, index) => Math.abs(value - wanted[index]!));
  console.log(`${backend.adapter.name}: ${Math.max(...errors)} ${loaded.length}`);
}
console.log(`Loaded ${loaded.join(", ")}`);
