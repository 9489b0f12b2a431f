/*
 * Runs the generated PyTorch code of functional models in PyTorch, and prints the largest difference from wgrad's outputs. The
 * package safetensors is not needed. Run it with:
 *
 *   node scripts/run.mjs test/formats/pytorch-functions/check.ts [python]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pytorchCode, savePytorch } from "../../../src/formats/pytorch.ts";
import { expectedOutputs, functionCases, inputsFor, trainedCase, twiceUsed } from "../function-cases.ts";

const [python = "python3"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "wgrad-pytorch-"));
const all = [...Object.entries(functionCases).map(([name, make]) => [name, make()] as const), ...twiceUsed];
try {
  for (const [name, made] of all) {
    const trained = trainedCase(made);
    const path = join(folder, "model.safetensors");
    writeFileSync(path, savePytorch(trained));
    const inputs = inputsFor(trained.model, 3);
    const values = Object.values(inputs).map(({ shape, values: given }) => ({
      shape,
      values: [...given],
      isIndex: given instanceof Uint32Array,
    }));
    const expected = await expectedOutputs(trained, inputs);
    const work = { code: pytorchCode(trained, path), inputs: values, expected, shapes: trained.model.outputs };
    const { status, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, "check.py")], {
      input: JSON.stringify(work),
      encoding: "utf8",
    });
    if (status !== 0) process.exitCode = 1;
    process.stdout.write(`${name}: ${status === 0 ? stdout.trim() : `${work.code}\n${stderr}`}\n`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
