/*
 * The page of parity.firefox.ts: runs all cases and the steps of whole networks on the browser's WebGPU, and sends a report of
 * each to the port in its address.
 */
import { browserGpu } from "../../src/device/adapter.ts";
import { openBackend } from "../../src/backends/webgpu/index.ts";
import { GuardedBuffers } from "../guarded-buffers.ts";
import { allCases } from "../ops/all-cases.ts";
import { check, judgeCase, runJudged, seed } from "../ops/parity.ts";
import { networkNames, networkErrors } from "./networks.ts";
import type { Report } from "./reports.ts";

const port = new URLSearchParams(location.search).get("port");

async function send(report: Report & { name?: string }): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify(report) });
}

/** Runs a test, and sends its report. */
async function tested(name: string, run: () => Promise<Readonly<Record<string, number>>>): Promise<void> {
  try {
    await send({ name, errors: await run() });
  } catch (error) {
    await send({ name, failure: `${String(error)} (WGRAD_SEED=${seed})` });
  }
}

try {
  const backend = await openBackend(browserGpu(), {}, (device) => new GuardedBuffers(device));
  for (const opCase of allCases) {
    await tested(opCase.name, async () => {
      const judged = await judgeCase(opCase, seed);
      const results = await runJudged(backend, judged);
      return Object.fromEntries(
        Object.entries(results).map(([output, values]) => [output, check(judged, output, values)]),
      );
    });
  }
  for (const name of networkNames) await tested(name, () => networkErrors(name, backend));
} catch (error) {
  await send({ failure: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
}
