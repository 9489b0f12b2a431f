import { seed } from "../ops/parity.ts";
import type { Report } from "./reports.ts";

const port = new URLSearchParams(location.search).get("port");

async function send(report: Report & { name?: string }): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify(report) });
}

/** Runs a test in the page, and sends its report. */
export async function tested(name: string, run: () => Promise<Readonly<Record<string, number>>>): Promise<void> {
  try {
    await send({ name, measured: await run() });
  } catch (error) {
    await send({ name, failure: `${String(error)} (WGRAD_SEED=${seed})` });
  }
}

/** Runs all tests of a page. If that fails outside a test, all tests fail that have not reported. */
export async function runTests(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    await send({ failure: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
  }
}
