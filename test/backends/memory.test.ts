import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createTrainer } from "../../src/train/index.ts";
import { acquireLosableBackend } from "../gpu.ts";
import { clouds, finish, smallModel } from "../train/examples.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Trains on a new backend, disposes of it, and checks whether its device can be collected. */
async function usedDevice(): Promise<WeakRef<GPUDevice>> {
  const { backend, device } = await acquireLosableBackend();
  const trainer = await createTrainer({
    model: smallModel(),
    dataset: clouds(40),
    backend,
    learningRate: 0.01,
    batchSize: 10,
    epochs: 1,
  });
  await finish(trainer);
  const kept = new WeakRef(device());
  trainer.dispose();
  backend.dispose();
  return kept;
}

test("the devices of disposed backends are not kept alive", async () => {
  const devices: WeakRef<GPUDevice>[] = [];
  for (let count = 0; count < 5; count++) devices.push(await usedDevice());
  const kept = () => {
    collectGarbage();
    return devices.filter((device) => device.deref()).length;
  };
  // The last one may still be on the stack.
  await expect.poll(kept).toBeLessThanOrEqual(1);
});
