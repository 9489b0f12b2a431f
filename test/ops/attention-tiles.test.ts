/*
 * Fused attention in tiles, as on GPUs. Software adapters with subgroups of eight run other kernels, which parity.test.ts covers.
 */
import { afterAll, expect, test } from "vitest";
import { openDevice } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { fusedAttention } from "../../src/ops/attention/index.ts";
import { allCases } from "./all-cases.ts";
import { parityTests } from "./parity-suite.ts";
import { tiledBackend } from "./tiled-backend.ts";

const source = dawnGpu();
const device = await openDevice(source, { software: false });
afterAll(() => {
  device.destroy();
  source.release();
});

parityTests(
  async () => tiledBackend(device, undefined),
  allCases.filter(({ covers }) => covers.includes("fusedAttention")),
);

test("a workgroup has 32 queries", async () => {
  const [q, k, v] = ["q", "k", "v"].map((name) => input(name, [2, 65, 4])) as [never, never, never];
  const session = tiledBackend(device, undefined).createSession();
  const { dispatches } = await session.compile(defineGraph({ y: fusedAttention(q, k, v) }));
  expect(dispatches[0]!.grid).toEqual([3, 2, 1]);
  session.dispose();
});
