import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { findManifests, locateLibrary } from "./drivers.mjs";

/** @typedef {import("./drivers.mjs").Machine} Machine */
/** @typedef {import("./drivers.mjs").Way} Way */

/** How many messages of the loader to print; the first ones are the closest to the cause. */
const MOST_LINES = 12;

/**
 * Explains why there is no adapter of a GPU: the manifests and libraries found, the libraries that drivers lack, and the
 * messages of the Vulkan loader.
 *
 * @param {Machine} machine
 * @param {{ way: Way, environment: NodeJS.ProcessEnv, reason: string }[]} failures
 * @param {string} probe the script that asks for an adapter
 * @returns {string[]} lines to print
 */
export function explainNoGpu(machine, failures, probe) {
  const devices = readdirSync("/dev").filter((name) => name.startsWith("nvidia"));
  return [
    "No GPU's WebGPU adapter was found.",
    `  /dev/nvidia*   ${devices.join(" ") || "none"}`,
    `  nvidia-smi     ${outputOf("nvidia-smi", ["-L"], machine.environment)[0] ?? "not found, or no output"}`,
    `  Vulkan loader  ${placeOf(machine, "libvulkan.so.1") ?? "not on this machine; the archive's is used"}`,
    ...findManifests(machine).map(({ file, library }) => {
      const place = placeOf(machine, library) ?? "not found";
      return `  ${file}: ${library ?? "no library"}, ${place}`;
    }),
    ...failures.flatMap((failure) => explainFailure(machine, failure, probe)),
    "",
    "The driver's Vulkan part must be installed; start containers with NVIDIA_DRIVER_CAPABILITIES=all.",
    "To use a manifest in another folder: VK_DRIVER_FILES=/path/to/nvidia_icd.json ./run.sh",
  ];
}

function explainFailure(machine, { way, environment, reason }, probe) {
  const library = placeOf(machine, way.library);
  const needs = library === undefined ? [] : outputOf("ldd", [library], environment);
  const missing = needs.filter((line) => line.includes("not found"));
  const output = outputOf(process.execPath, [probe], { ...environment, VK_LOADER_DEBUG: "error,warn,driver" });
  // Dawn searches several times, and the loader repeats its messages; the line of JSON is the probe's result.
  const messages = [...new Set(output.filter((line) => !line.startsWith("{")))].slice(0, MOST_LINES);
  return [
    "",
    `Tried ${way.title}: ${reason}.`,
    `  LD_LIBRARY_PATH=${environment.LD_LIBRARY_PATH ?? ""}`,
    ...(library === undefined ? [] : [`  ldd ${library}: ${missing.length} of ${needs.length} libraries missing`]),
    ...[...missing, ...messages].map((line) => `  ${line.trim()}`),
  ];
}

function placeOf(machine, library) {
  return library && locateLibrary(machine, library)?.path;
}

/** The lines that a program prints to standard output and standard error; none if it cannot be run. */
function outputOf(program, programArguments, env) {
  const { stdout, stderr } = spawnSync(program, programArguments, { encoding: "utf8", env, timeout: 30_000 });
  return `${stdout ?? ""}\n${stderr ?? ""}`.split("\n").filter((line) => line.trim() !== "");
}
