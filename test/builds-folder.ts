import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

const cache = fileURLToPath(new URL("../node_modules/.cache", import.meta.url));

/** Makes the folder of `test/builds.ts` before the tests, and removes it after them. Vitest calls it once for a run. */
export default function setUp(project: TestProject): () => void {
  mkdirSync(cache, { recursive: true });
  // Below the checkout, so that the built files find their packages.
  const folder = mkdtempSync(join(cache, "wgrad-builds-"));
  project.provide("builds", folder);
  project.onTestsRerun(() => readdirSync(folder).forEach((name) => rmSync(join(folder, name), { recursive: true })));
  return () => rmSync(folder, { recursive: true });
}
