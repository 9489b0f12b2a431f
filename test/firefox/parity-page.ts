/* The page of parity.firefox.ts: runs all cases and the steps of whole networks on the browser's WebGPU. */
import { browserGpu } from "../../src/device/adapter.ts";
import { openBackend } from "../../src/backends/webgpu/index.ts";
import { GuardedBuffers } from "../guarded-buffers.ts";
import { allCases } from "../ops/all-cases.ts";
import { caseErrors } from "./case-errors.ts";
import { networkNames, networkErrors } from "./networks.ts";
import { runTests, tested } from "./page-reports.ts";

await runTests(async () => {
  const backend = await openBackend(browserGpu(), {}, (device) => new GuardedBuffers(device));
  for (const opCase of allCases) await tested(opCase.name, () => caseErrors(opCase, backend));
  for (const name of networkNames) await tested(name, () => networkErrors(name, backend));
});
