/*
 * PyTorch on the CPU, where a Python with it is installed: `pytorch.py` in a process that answers lines of JSON. A request
 * takes a tenth of a millisecond, and starts a second of work.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { networkNamed, withChannelsFirst } from "../networks.mjs";

/** One thread for all that PyTorch calls, and OpenBLAS as it chooses its kernels by itself. */
export function environment() {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("OPENBLAS_"));
  return { ...Object.fromEntries(kept), OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };
}

/** @returns {string | undefined} the first Python that has PyTorch: `PYTHON`, Debian's, or the one on the path */
export function pythonWithTorch() {
  const candidates = [process.env.PYTHON, "/usr/bin/python3", "python3"].filter(Boolean);
  return candidates.find(
    (python) => spawnSync(python, ["-c", "import numpy, torch"], { env: environment(), stdio: "ignore" }).status === 0,
  );
}

/** @returns {Promise<import("./index.mjs").Runtime>} */
export async function open() {
  const python = pythonWithTorch();
  if (python === undefined) throw new Error("PyTorch: no python3 has the modules torch and numpy");
  const folder = mkdtempSync(join(tmpdir(), "wgrad-pytorch-"));
  const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
  const child = spawn(python, [script, folder], { env: environment(), stdio: ["pipe", "pipe", "inherit"] });
  process.on("exit", () => {
    child.kill();
    rmSync(folder, { recursive: true });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error("PyTorch: its process ended");
    return JSON.parse(value);
  };
  const ask = (kind, options) => {
    child.stdin.write(`${JSON.stringify([kind, options ?? null])}\n`);
    return answer();
  };
  const { version } = await answer();
  return {
    adapter: () => "CPU",
    threads: 1,
    version,
    /** The largest resident memory of the process so far, in bytes. */
    peakBytes: () => ask("memory"),
    trainer: (task) => openTrainer(ask, folder, task),
    textTrainer: (work) => openTextTrainer(ask, folder, work),
    product: (task) => openProduct(ask, folder, task),
  };
}

async function openTrainer(ask, folder, { network, batch, count, scale, offset, parameters, ...arrays }) {
  const described = networkNamed(network);
  const given = withChannelsFirst(parameters, described);
  for (const name of ["features", "labels", "order"]) writeFileSync(join(folder, name), arrays[name]);
  writeParameters(folder, given);
  await ask("training", {
    network: described.kind,
    size: described.size,
    batch,
    count,
    scale,
    offset,
    shapes: given.map(({ shape }) => shape),
  });
  return { run: (steps, every) => ask("steps", { steps, every }) };
}

function writeParameters(folder, given) {
  given.forEach(({ values }, index) => writeFileSync(join(folder, `parameter${index}`), values));
}

/** The GPT of ../gpt/work.mjs. */
async function openTextTrainer(ask, folder, { sizes, model, batches }) {
  const given = model.parameters.map(({ attributes, shape }) => ({ values: attributes.initial, shape }));
  writeParameters(folder, given);
  for (const name of ["tokens", "targets"])
    writeFileSync(join(folder, name), Buffer.concat(batches.map((batch) => new Uint8Array(batch[name].buffer))));
  await ask("text", { sizes, batches: batches.length, shapes: given.map(({ shape }) => shape) });
  return { run: (steps, every) => ask("steps", { steps, every }) };
}

async function openProduct(ask, folder, { rows, inner, columns, left, right }) {
  writeFileSync(join(folder, "left"), left);
  writeFileSync(join(folder, "right"), right);
  await ask("product", { rows, inner, columns });
  return async (times) => {
    await ask("run", { times });
    const bytes = readFileSync(join(folder, "product"));
    return new Float32Array(new Uint8Array(bytes).buffer);
  };
}
