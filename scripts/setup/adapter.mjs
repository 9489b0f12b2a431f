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
 * The result of looking for an adapter: an adapter, the reason why there is none, or the error of the package `webgpu`.
 *
 * @typedef {{ adapter: AdapterInfo } | { adapter: null, reason: string } | { unloadable: string }} Found
 */

const PROBE = fileURLToPath(new URL("probe.mjs", import.meta.url));
const PROBE_MILLISECONDS = 60_000;

/**
 * Looks for an adapter in a new process, because the Vulkan loader reads drivers only once per process, and a crashing
 * driver must not end setup.
 *
 * @returns {Found}
 */
export function findAdapter() {
  const child = spawnSync(process.execPath, [PROBE], { encoding: "utf8", timeout: PROBE_MILLISECONDS });
  return readProbe(child);
}

/**
 * Interprets the result of the probe's process.
 *
 * @param {{ stdout: string, stderr: string, status: number | null, signal: string | null }} child
 * @returns {Found}
 */
export function readProbe({ stdout, stderr, status, signal }) {
  // The probe's line is valid even if the driver crashed afterwards, at the end of the process.
  const line = stdout.split("\n").find((candidate) => candidate.startsWith("{"));
  if (line === undefined) {
    return { adapter: null, reason: `the check ended with ${signal ?? `exit code ${status}`}` };
  }
  const found = JSON.parse(line);
  if (found.adapter !== null) return found;
  const message = stderr.split("\n").find((candidate) => candidate.trim() !== "") ?? "Dawn gives no reason";
  return {
    adapter: null,
    reason: message
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
    isSoftware(adapter) ? "Adapter: a software adapter on the CPU, which is sufficient" : "Adapter: a GPU",
    `  vendor        ${adapter.vendor || "unknown"}`,
    `  architecture  ${adapter.architecture || "unknown"}`,
    `  device        ${adapter.device || "unknown"}`,
    `  description   ${adapter.description || "unknown"}`,
  ];
}
