import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { dense, sequential } from "../../src/nn/index.ts";
import { createTrainer } from "../../src/train/index.ts";
import { acquireBackend } from "../gpu.ts";
import { clouds, finish } from "../train/examples.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Resident memory after garbage collection: native objects are freed some time after their JavaScript objects. */
async function residentMegabytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collect();
    await setTimeout(50);
  }
  return process.memoryUsage().rss / 2 ** 20;
}

test("the memory after 200 trainers in one process is within 20 % of that after ten", async () => {
  const backend = await acquireBackend();
  const dataset = clouds(512, { width: 64, classes: 10 });
  let afterTen = 0;
  for (let count = 1; count <= 200; count++) {
    const model = sequential([dense(256, { activation: "relu" }), dense(10)], { inputShape: [64], seed: count });
    const trainer = await createTrainer({ model, dataset, backend, learningRate: 0.002, batchSize: 64, epochs: 2 });
    await finish(trainer);
    await trainer.evaluate(dataset);
    await trainer.snapshot();
    trainer.dispose();
    if (count === 10) afterTen = await residentMegabytes();
  }
  const afterAll = await residentMegabytes();
  console.log(`resident memory: ${afterTen.toFixed(0)} MB after 10 trainers, ${afterAll.toFixed(0)} MB after 200`);
  expect(afterAll).toBeLessThan(1.2 * afterTen);
  backend.dispose();
}, 600_000);
