/*
 * Every tiling that the tuner may choose must pass the same tests as products in general.
 */
import { afterAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { launchLimitsOf } from "../../src/backends/webgpu/rules.ts";
import { openDevice, type Device } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { dense, sequential } from "../../src/nn/index.ts";
import { matmul, type MatmulAttributes } from "../../src/ops/matmul/index.ts";
import { possibleTilings } from "../../src/ops/matmul/webgpu-tilings.ts";
import { createTrainer } from "../../src/train/index.ts";
import { clouds, finish } from "../train/examples.ts";
import { withFloat16 } from "../gpu.ts";
import { cases } from "./matmul.cases.ts";
import { parityTests } from "./parity-suite.ts";
import { tiledBackend } from "./tiled-backend.ts";

const source = dawnGpu();
const device = await openDevice(source);
afterAll(() => {
  for (const each of [...usualDevices, ...slowDevices]) each.destroy();
  source.release();
});

/**
 * Edges within and beyond a tile, each side transposed once, both precisions. A case is a kernel to compile for each
 * tiling (0.25 s on lavapipe on two quiet cores), which is all of the time; parity.test.ts has every case.
 */
const chosen = cases.filter(({ name }) =>
  /^matmul (257×129ᵀ · 129×65|257×129 · 129×65ᵀ|17×129ᵀ · 129×65, float16)$/.test(name),
);

/** A device with bindings of 1024 bytes, so that long products are divided and accumulated in memory. */
const smallDevice = await openDevice(source, { limits: { maxStorageBufferBindingSize: 1024 } });
const usualDevices = [device, smallDevice] as const;

/** The same by SwiftShader's name, which chooses the kernel for slow arrays. */
async function named(limits = {}): Promise<Device> {
  const opened = await openDevice(source, { limits });
  return Object.assign(opened, { adapter: { name: "swiftshader (google)", software: true } });
}
const slowDevices = [await named(), await named({ maxStorageBufferBindingSize: 1024 })] as const;

/** The parameters after a few steps of a linear model with sizes that no tile divides, and the loss of each step. */
async function trained(backend: Backend, precision: "float32" | "float16") {
  const model = sequential([dense(3)], { inputShape: [17], seed: 4 });
  const dataset = clouds(99, { width: 17 });
  const trainer = await createTrainer({
    model,
    dataset,
    backend,
    precision,
    learningRate: 0.01,
    batchSize: 33,
    epochs: 2,
  });
  const losses = (await finish(trainer, { every: 1 })).map(({ loss }) => loss);
  const { parameters } = await trainer.snapshot();
  trainer.dispose();
  return { losses, parameters };
}

/** [9, 40] · [40, 7], which the small device divides into two parts along 40. */
async function cutProduct(backend: Backend) {
  const [left, right] = [input("left", [40, 9]), input("right", [40, 7])];
  const session = backend.createSession();
  const executable = await session.compile(defineGraph({ product: matmul(left, right, { transposeLeft: true }) }));
  for (const leaf of [left, right])
    session.write(
      leaf,
      Float32Array.from({ length: leaf.size }, (_, at) => Math.sin(at + leaf.size)),
    );
  await executable.run(0, 1);
  const product = await executable.read("product");
  session.dispose();
  return { dispatches: executable.dispatches.length, product };
}

const whole = await cutProduct(tiledBackend(device, undefined));

const precisions = ["float32", "float16"] as const;
type Trained = ReturnType<typeof trained>;
/** The runs by rule of thumb, each done when a test first needs it. */
const usual: Trained[] = [];
const reference = await Promise.all(precisions.map((precision) => trained(createCpuBackend(), precision)));

const wide: MatmulAttributes = {
  rows: 257,
  inner: 3,
  columns: 129,
  transposeLeft: false,
  transposeRight: false,
  precision: "float32",
};
const ofSlow = possibleTilings(wide, launchLimitsOf(slowDevices[0]));
/** The tilings for slow arrays differ in two numbers: the largest and the smallest. */
const fewOfSlow = [Object.entries(ofSlow).at(0)!, Object.entries(ofSlow).at(-1)!];
const tilings = [
  ...Object.entries(possibleTilings(wide, launchLimitsOf(device))).map(
    ([name, tiling]) => [name, tiling, usualDevices] as const,
  ),
  ...fewOfSlow.map(([name, tiling]) => [name, tiling, slowDevices] as const),
];

describe.each(tilings)("tiling %s", (name, { tileRows, tileColumns }, [own, ownSmall]) => {
  test("is used", async () => {
    const graph = defineGraph({ product: matmul(input("left", [257, 3]), input("right", [3, 129])) });
    const [dispatch] = (await tiledBackend(own, name).createSession().compile(graph)).dispatches;
    expect(dispatch!.grid).toEqual([Math.ceil(129 / tileColumns), Math.ceil(257 / tileRows), 1]);
  });

  parityTests(async () => tiledBackend(own, name), chosen);

  test("a product whose inner axis is divided gives the same bits as one that is not", async () => {
    const found = await cutProduct(tiledBackend(ownSmall, name));
    expect(found).toEqual({ dispatches: 2, product: whole.product });
  });

  test.each([...precisions.entries()])(
    "a training run (%i, %s) ends with the same bits as the rule of thumb, and matches the CPU",
    async (at, precision) => {
      const body = async () => {
        const found = await trained(tiledBackend(own, name), precision);
        expect(found).toEqual(await (usual[at] ??= trained(tiledBackend(device, undefined), precision)));
        for (const [step, loss] of found.losses.entries())
          expect(Math.abs(loss / reference[at]!.losses[step]! - 1)).toBeLessThan(1e-5);
      };
      await (precision === "float16" ? withFloat16(tiledBackend(own, name), body) : body());
    },
  );
});
