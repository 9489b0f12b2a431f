/*
 * Measures startup with a first step on generated data: `node start-child.mjs RUNTIME` prints the loss as soon as it is
 * read.
 */
import { writeSync } from "node:fs";
import { openRuntime } from "./runtimes/index.mjs";
import { generatedTask } from "./work.mjs";

const runtime = await openRuntime(process.argv[2]);
const trainer = await runtime.trainer(generatedTask());
const [loss] = await trainer.run(1, 1);
writeSync(1, `${loss}\n`);
process.exit(0);
