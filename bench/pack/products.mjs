// A part of the archive: times the product 4096³ with every tiling, in both precisions, and with subgroup matrices where the
// device has them, and writes the times as JSON. `--quick` times 512³. `--unchecked` times only the tilings in float32, without the bounds
// checks of indices that Dawn adds to WGSL, and prints the times: their share of a product's time is not known.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createWebGPUBackend, defineGraph, input, matmul } from "../../dist/index.js";
import { dawnGpu } from "../../dist/node.js";

const METHOD = [
  "The product of two stored matrices. Tilings by the tuner's clock: the fastest of its runs on the GPU; each gives the same bits.",
  "Subgroup matrices by the fastest of five profiled runs.",
].join(" ");
const PROFILES = 5;
const UNCHECKED_MILLISECONDS = 120_000;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    unchecked: { type: "boolean", default: false },
    out: { type: "string" },
  },
});
const size = values.quick ? 512 : 4096;
const flops = 2 * size ** 3;
const tflops = (milliseconds) => flops / milliseconds / 1e9;

const source = await dawnGpu({
  flags: [
    "disable-dawn-features=timestamp_quantization",
    `enable-dawn-features=allow_unsafe_apis${values.unchecked ? ",disable_robustness" : ""}`,
  ],
});
/** Backends share Dawn, which is opened only once. */
const shared = { ...source, release() {} };
const report = { method: METHOD, size, products: [] };
if (values.unchecked) console.log(JSON.stringify(await timeTilings("float32")));
else await measureAll();
source.release();

async function measureAll() {
  for (const precision of ["float32", "float16"]) await measure(() => timeTilings(precision), precision);
  await measure(timeMatrices, "float16, subgroup matrices");
  await measure(timeUnchecked, "float32, without bounds checks");
  if (report.products.some(({ failed }) => failed)) process.exitCode = 1;
}

/** Measures a kind of products. One that fails does not end the others. */
async function measure(work, name) {
  let found;
  try {
    found = await work();
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    found = { failed: error.message };
  }
  const [best] = found.times ?? [];
  if (best) console.log(`${size}³, ${name}: ${tflops(best.milliseconds).toFixed(2)} TFLOP/s with ${best.tiling}`);
  if (found.skipped) console.log(`${size}³, ${name}: ${found.skipped}`);
  report.products.push({ name, ...found });
  // Written after each, so that an interrupted part leaves what it has.
  writeFileSync(values.out ?? "products.json", `${JSON.stringify(report, undefined, 2)}\n`);
}

/** All tilings, the fastest first, and those that gave other bits. */
async function timeTilings(precision) {
  const backend = await createWebGPUBackend(shared, { backgroundTuning: false });
  try {
    const sizes = { rows: size, inner: size, columns: size, transposeLeft: false, transposeRight: false };
    const results = [];
    await backend.tune([{ ...sizes, precision }], (result) => results.push(result), { full: true });
    const rejected = results.filter(({ milliseconds }) => milliseconds === undefined).map(({ tiling }) => tiling);
    const times = results
      .filter(({ milliseconds }) => milliseconds !== undefined)
      .map(({ tiling, milliseconds }) => ({ tiling, milliseconds }))
      .toSorted((one, other) => one.milliseconds - other.milliseconds);
    return { times, ...(rejected.length > 0 && { failed: `other bits: ${rejected.join("; ")}` }) };
  } finally {
    backend.dispose();
  }
}

/** In a process of its own, since flags of Dawn apply to all of a process. */
function timeUnchecked() {
  const options = [fileURLToPath(import.meta.url), "--unchecked", ...(values.quick ? ["--quick"] : [])];
  const how = { encoding: "utf8", timeout: UNCHECKED_MILLISECONDS, killSignal: "SIGKILL" };
  const { status, stdout, stderr } = spawnSync(process.execPath, options, how);
  if (status !== 0) throw new Error(stderr.trim().split("\n").at(-1) ?? "it was not done in time");
  return JSON.parse(stdout.trimEnd().split("\n").at(-1));
}

async function timeMatrices() {
  const features = ["timestamp-query", "subgroups", "shader-f16", "chromium-experimental-subgroup-matrix"];
  const kernels = [];
  const backend = await createWebGPUBackend(shared, { features, onKernel: (_, code) => kernels.push(code) });
  try {
    const session = backend.createSession();
    const [left, right] = ["left", "right"].map((name) => input(name, [size, size]));
    const product = defineGraph({ product: matmul(left, right, { precision: "float16" }) });
    const executable = await session.compile(product);
    if (!kernels.some((code) => code.includes("subgroupMatrixMultiplyAccumulate")))
      return { skipped: "this device has no subgroup matrices of float16 with float32 sums" };
    for (const leaf of [left, right]) session.write(leaf, new Float32Array(leaf.size).fill(0.5));
    let milliseconds = Infinity;
    for (let run = 0; run < PROFILES; run++)
      milliseconds = Math.min(milliseconds, (await executable.profile(run)).reduce((a, b) => a + b) / 1e6);
    const wrong = (await executable.read("product")).find((value) => value !== size / 4);
    if (wrong !== undefined) return { failed: `an element is ${wrong} instead of ${size / 4}` };
    return { times: [{ tiling: "subgroup matrices", milliseconds }] };
  } finally {
    backend.dispose();
  }
}
