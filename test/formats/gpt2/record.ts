/*
 * Writes logits.json: the logits of the networks in PyTorch, loaded by the code of `gpt2Code` from files of `saveGpt2`.
 *
 *   node scripts/run.mjs test/formats/gpt2/record.ts
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gpt2Code, saveGpt2 } from "../../../src/formats/gpt2.ts";
import { makeModels, TOKENS } from "./recipe.ts";

const own = "test/formats/gpt2";
const folder = mkdtempSync(join(tmpdir(), "wgrad-gpt2-"));
const networks = Object.entries(makeModels()).map(([name, model]) => {
  const path = join(folder, name);
  writeFileSync(path, saveGpt2(model));
  return { name, code: gpt2Code(model, path) };
});
const { status, stdout, stderr } = spawnSync(process.env["PYTHON"] ?? "/usr/bin/python3", [`${own}/record.py`], {
  input: JSON.stringify({ networks, tokens: TOKENS }),
  encoding: "utf8",
});
rmSync(folder, { recursive: true });
if (status !== 0) throw new Error(`record.py failed: ${stderr}`);
const logits = JSON.parse(stdout) as Record<string, number[]>;
const recorded = networks.map(({ name, code }) => {
  return [name, { code: code.replaceAll(`${folder}/`, "").split("\n"), logits: logits[name] }] as const;
});
writeFileSync(`${own}/logits.json`, `${JSON.stringify(Object.fromEntries(recorded))}\n`);
