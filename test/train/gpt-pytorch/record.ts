/*
 * Writes losses.json: the losses of the recipe in PyTorch, in float64, from the initial values and the batches of wgrad.
 *
 *   node scripts/run.mjs test/train/gpt-pytorch/record.ts
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { initialValues } from "../../../src/formats/model.ts";
import { BATCH, batchOf, LEARNING_RATE, makeModel, sizes, STEPS, WARMUP } from "./recipe.ts";

const folder = "test/train/gpt-pytorch";
const work = {
  sizes,
  batch: BATCH,
  learningRate: LEARNING_RATE,
  warmup: WARMUP,
  values: Object.values(initialValues(makeModel())).map(({ values }) => [...values]),
  batches: Array.from({ length: STEPS }, (_, step) => {
    const { tokens, targets } = batchOf(step);
    return { tokens: [...tokens], targets: [...targets] };
  }),
};
const { status, stdout, stderr } = spawnSync(process.env["PYTHON"] ?? "/usr/bin/python3", [`${folder}/record.py`], {
  input: JSON.stringify(work),
  encoding: "utf8",
});
if (status !== 0) throw new Error(`record.py failed: ${stderr}`);
writeFileSync(`${folder}/losses.json`, stdout);
