/*
 * Writes docs/ops-measured.md: for each op its errors, from the tests' own cases, its dispatches, and its rate on
 * WebAssembly. `node scripts/run.mjs bench/ops/table.ts` takes a few minutes. With names of ops behind it, it prints their
 * rows instead.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Backend } from "../../src/backends/backend.ts";
import { Replay, quickly } from "../../src/bench/replay.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { isStored } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random.ts";
import { allCases } from "../../test/ops/all-cases.ts";
import { arrayOf, buildCase, caseGradients, gradientQuestion } from "../../test/ops/evaluate.ts";
import { compareGradients, numericGradients } from "../../test/ops/gradient-check.ts";
import { check, judgeCase, runJudged } from "../../test/ops/parity.ts";
import { comparisons } from "../../test/ops/pytorch/all.ts";
import { computed, differences, nameOf, type Recorded } from "../../test/ops/pytorch/comparison.ts";
import { acquireBackend } from "../../test/gpu.ts";
import { acquireWasm } from "../../test/wasm.ts";
import { large } from "./large.ts";

const SEED = 1;
const THREADS = 2;

const only = process.argv.slice(2);
const isMeasured = (op: string) => only.length === 0 || only.includes(op);

interface Errors {
  gradient: number | undefined;
  webgpu: number;
  wasm: number;
}

/** The largest difference from PyTorch of each op that PyTorch has, in float64. */
async function differencesOfAll(): Promise<Map<string, number>> {
  const recorded = JSON.parse(readFileSync("test/ops/pytorch/results.json", "utf8")) as Record<string, Recorded>;
  const all = new Map<string, number>();
  for (const comparison of comparisons.filter(({ op }) => isMeasured(op))) {
    const { output, gradient } = differences(await computed(comparison), recorded[nameOf(comparison)]!);
    all.set(comparison.op, Math.max(output, gradient, all.get(comparison.op) ?? 0));
  }
  return all;
}

/** The largest errors among the cases of each op. */
async function errorsOfAll(webgpu: Backend, wasm: Backend): Promise<Map<string, Errors>> {
  const all = new Map<string, Errors>();
  for (const opCase of allCases.filter(({ covers }) => covers.some(isMeasured))) {
    const judged = await judgeCase(opCase, SEED);
    const fraction = async (backend: Backend) => {
      const results = await runJudged(backend, judged);
      return Math.max(...Object.entries(results).map(([output, values]) => check(judged, output, values)));
    };
    const [onWebGPU, onWasm] = [await fraction(webgpu), await fraction(wasm)];
    const gradient = await gradientError(opCase);
    for (const op of opCase.covers.filter(isMeasured)) {
      const known = all.get(op) ?? { gradient: undefined, webgpu: 0, wasm: 0 };
      all.set(op, {
        gradient: gradient === undefined ? known.gradient : Math.max(gradient, known.gradient ?? 0),
        webgpu: Math.max(known.webgpu, onWebGPU),
        wasm: Math.max(known.wasm, onWasm),
      });
    }
  }
  return all;
}

/** The largest difference from central differences in float64; undefined if the case has no gradient to check. */
async function gradientError(opCase: (typeof allCases)[number]): Promise<number | undefined> {
  if (!opCase.differentiable || opCase.parityOnly) return undefined;
  const built = buildCase(opCase);
  const question = gradientQuestion(built, new Random(SEED));
  return (await compareGradients(question, caseGradients(built), await numericGradients(question))).difference;
}

async function dispatchesOf(webgpu: Backend, output: Tensor): Promise<number> {
  const session = webgpu.createSession();
  const { dispatches } = await session.compile(defineGraph({ output }));
  session.dispose();
  return dispatches.length;
}

/** The time of a step and its rate, such as ["0.5 ms", "30 GFLOP/s"]. */
async function rateOf(wasm: Backend, output: Tensor): Promise<[string, string]> {
  const session = wasm.createSession();
  const graph = defineGraph({ output });
  const executable = await session.compile(graph);
  const random = new Random(SEED);
  for (const leaf of graph.nodes.filter(isStored)) {
    const draw = () => (leaf.dtype === "float32" ? random.uniform(0.1, 0.9) : random.below(64));
    session.write(leaf, arrayOf(leaf.dtype, Array.from({ length: leaf.size }, draw)));
  }
  const replay = new Replay(executable, quickly);
  await replay.warmUp();
  const { lowerQuartile } = await replay.wallClock();
  const sum = (of: "flops" | "bytes") => executable.dispatches.reduce((total, dispatch) => total + dispatch[of], 0);
  session.dispose();
  const isProduct = executable.dispatches.some(({ kernel }) => kernel.includes("matmul"));
  const rate = isProduct
    ? `${(sum("flops") / lowerQuartile / 1e9).toFixed(0)} GFLOP/s`
    : `${(sum("bytes") / lowerQuartile / 1e9).toFixed(1)} GB/s`;
  return [`${(1000 * lowerQuartile).toFixed(2)} ms`, rate];
}

const webgpu = await acquireBackend();
const { backend: wasm } = await acquireWasm(THREADS);
const errors = await errorsOfAll(webgpu, wasm);
const fromPytorch = await differencesOfAll();
const rows: string[] = [];
for (const [op, of] of [...errors].sort(([one], [other]) => one.localeCompare(other))) {
  const output = large.get(op)?.();
  const measured = output ? [await dispatchesOf(webgpu, output), ...(await rateOf(wasm, output))] : ["", "", ""];
  const cells = [
    `\`${op}\``,
    of.gradient?.toExponential(0) ?? "",
    fromPytorch.get(op)?.toExponential(0) ?? "",
    of.webgpu.toFixed(2),
    of.wasm.toFixed(2),
    ...measured,
  ];
  rows.push(`| ${cells.join(" | ")} |`);
}
const [{ model } = { model: "an unknown processor" }] = cpus();
const page = `# Ops, measured

Written by \`node scripts/run.mjs bench/ops/table.ts\`, which computes the cases of the tests (test/ops/*.cases.ts) with seed ${SEED}.
[Ops](ops.md) says what each op computes.

- **Gradient.** The largest |a − n| / max(1, |a|, |n|) between the gradient in float64 and central differences. The tests allow 1e-6. Empty
  without a gradient.
- **PyTorch.** The largest |wgrad − PyTorch| / max(1, |PyTorch|) of results and gradients, both in float64, with ten digits of PyTorch 1.13
  (test/ops/pytorch). Empty for ops that PyTorch does not have.
- **WebGPU, wasm.** The largest error of the results and gradients in float32, against the reference in float64, as a fraction of its bound: at
  most 1. Bounds are c · 2⁻²⁴ · √K · scale, with c ≤ 16, and those of WGSL's functions; see [Numbers](guide/numbers.md). 0 means exact.
- **Dispatches, time, rate.** Of the op by itself on about a million elements (bench/ops/large.ts): its dispatches on WebGPU, and the time of a
  step on WebAssembly with ${THREADS} threads. Rates count each byte that is read or written once, or, for products, floating-point operations.

Measured on ${model} (${cpus().length} cores), and ${webgpu.adapter.name}.

| op | gradient | PyTorch | WebGPU | wasm | dispatches | time | rate |
|---|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
if (only.length > 0) console.log(rows.join("\n"));
else writeFileSync(new URL("../../docs/ops-measured.md", import.meta.url), page);
webgpu.dispose();
wasm.dispose();
