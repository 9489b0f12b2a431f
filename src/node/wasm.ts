import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { kernelsUrl } from "../backends/wasm/kernels-file.ts";
import type { ThreadEvents, WasmSource, WasmThread } from "../backends/wasm/source.ts";
import { DeviceError } from "../errors.ts";
import { plainReason } from "./files.ts";

/** The source of WebAssembly in Node: a thread for each core. The threads do not keep the process from exiting. */
export function nodeWasm(): WasmSource {
  return {
    threads: availableParallelism(),
    mostThreads: Infinity,
    kernels: readKernels,
    startThread,
  };
}

async function readKernels(relaxedSimd: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const url = kernelsUrl(relaxedSimd);
  try {
    return new Uint8Array(await readFile(new URL(url)));
  } catch (cause) {
    const what = `the kernels cannot be read: ${plainReason(cause)}`;
    throw new DeviceError({ where: url, what, fix: "Install the package again" }, { cause });
  }
}

function startThread(program: string, events: ThreadEvents): WasmThread {
  const call = `const { parentPort } = require("node:worker_threads");
    (${program})((handle) => parentPort.on("message", handle), (message) => parentPort.postMessage(message));`;
  const worker = new Worker(call, { eval: true, name: "wgrad thread" });
  let ended = false;
  worker.unref();
  worker.on("message", events.message);
  worker.on("error", (error) => {
    if (!ended) events.died(error.message);
  });
  worker.on("exit", (code) => {
    if (!ended) events.died(`it ended with code ${code}`);
  });
  return {
    post: (message) => worker.postMessage(message),
    end() {
      ended = true;
      void worker.terminate();
    },
    keepsProcess: (keeps) => (keeps ? worker.ref() : worker.unref()),
  };
}
