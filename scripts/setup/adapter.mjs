import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} AdapterInfo
 * @property {string} vendor
 * @property {string} architecture
 * @property {string} device
 * @property {string} description
 * @property {boolean | undefined} isFallbackAdapter
 *
 * What a look for an adapter found: one, none and why, or that the package `webgpu` itself does not load.
 *
 * @typedef {{ adapter: AdapterInfo } | { adapter: null, reason: string } | { unloadable: string }} Found
 */

const PROBE = fileURLToPath(new URL("probe.mjs", import.meta.url));
const PROBE_MILLISECONDS = 60_000;

/**
 * Looks for an adapter in a new process: the Vulkan loader reads its drivers once a process, and a driver that
 * crashes must not take setup with it.
 *
 * @returns {Found}
 */
export function findAdapter() {
  const child = spawnSync(process.execPath, [PROBE], { encoding: "utf8", timeout: PROBE_MILLISECONDS });
  return readProbe(child);
}

/**
 * Makes sense of what the probe's process left behind.
 *
 * @param {{ stdout: string, stderr: string, status: number | null, signal: string | null }} child
 * @returns {Found}
 */
export function readProbe({ stdout, stderr, status, signal }) {
  // The probe's line stands even if the driver crashed afterwards, at the process's end.
  const line = stdout.split("\n").find((candidate) => candidate.startsWith("{"));
  if (line === undefined) {
    return { adapter: null, reason: `the check ended with ${signal ?? `exit code ${status}`}` };
  }
  const found = JSON.parse(line);
  if (found.adapter !== null) return found;
  const said = stderr.split("\n").find((candidate) => candidate.trim() !== "") ?? "Dawn names no reason";
  return {
    adapter: null,
    reason: said
      .trim()
      .replace(/^Warning: /, "")
      .replace(/[.!]$/, ""),
  };
}

/**
 * Whether an adapter computes on the CPU.
 *
 * @param {AdapterInfo} adapter
 */
export function isSoftware({ architecture, description, isFallbackAdapter }) {
  return architecture === "software" || isFallbackAdapter === true || /llvmpipe|swiftshader/i.test(description);
}

/**
 * @param {AdapterInfo} adapter
 * @returns {string[]} lines to print
 */
export function describeAdapter(adapter) {
  return [
    isSoftware(adapter) ? "Adapter: a software one, on the CPU; it is enough" : "Adapter: a GPU",
    `  vendor        ${adapter.vendor || "not named"}`,
    `  architecture  ${adapter.architecture || "not named"}`,
    `  device        ${adapter.device || "not named"}`,
    `  description   ${adapter.description || "not named"}`,
  ];
}
