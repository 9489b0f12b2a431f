/*
 * One runtime, one measure, one process: `node child.mjs RUNTIME MEASURE FOLDER` prints the result as a line of JSON.
 * A runtime with a wrong result prints { "wrong": why }.
 */
import { writeSync } from "node:fs";
import { measureProducts } from "./measures/products.mjs";
import {
  CONVOLUTIONAL_READ_EVERY,
  WrongResult,
  measureCalls,
  measureConvolutional,
  measureEpoch,
  measureStep,
} from "./measures/training.mjs";
import { openRuntime, runtimeNamed } from "./runtimes/index.mjs";

const [name, measure, folder] = process.argv.slice(2);
const { device } = runtimeNamed(name);

const work = {
  batch1: (runtime) => measureStep(runtime, folder, 1),
  batch64: (runtime) => measureStep(runtime, folder, 64),
  batch512: (runtime) => measureStep(runtime, folder, 512),
  epoch: (runtime) => measureEpoch(runtime, folder),
  calls: (runtime) => measureCalls(runtime, folder),
  conv: (runtime) => measureConvolutional(runtime, folder),
  convCalls: (runtime) => measureCalls(runtime, folder, "convolutional", CONVOLUTIONAL_READ_EVERY),
  products: (runtime) => measureProducts(runtime, device),
};

async function result() {
  const runtime = await openRuntime(name);
  try {
    const values = await work[measure](runtime);
    const { threads, version } = runtime;
    return { ...values, adapter: await runtime.adapter(), threads, version };
  } catch (error) {
    if (error instanceof WrongResult) return { wrong: error.message };
    throw error;
  }
}

writeSync(1, `${JSON.stringify(await result())}\n`);
// Dawn would keep the process alive.
process.exit(0);
