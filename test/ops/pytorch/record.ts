/*
 * Writes results.json: what PyTorch computes for every comparison, in float64.
 *
 *   node scripts/run.mjs test/ops/pytorch/record.ts
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { comparisons } from "./all.ts";
import { nameOf, prepared } from "./comparison.ts";

const folder = "test/ops/pytorch";
const work = comparisons.map((comparison) => {
  const { values, leaves } = prepared(comparison);
  const inputs = Object.entries(leaves).map(([name, { shape, dtype }]) => ({
    name,
    shape,
    isIndex: dtype !== "float32",
    values: Array.from(values[name]!, (value) => (Number.isFinite(value) ? value : String(value))),
  }));
  const { torch, differentiable } = comparison;
  return { name: nameOf(comparison), torch, differentiable, inputs };
});
const { status, stdout, stderr } = spawnSync(process.env["PYTHON"] ?? "/usr/bin/python3", [`${folder}/record.py`], {
  input: JSON.stringify(work),
  encoding: "utf8",
  maxBuffer: 2 ** 26,
});
if (status !== 0) throw new Error(`record.py failed: ${stderr}`);
writeFileSync(`${folder}/results.json`, stdout);
