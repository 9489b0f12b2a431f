import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { findManifests, locateLibrary } from "./drivers.mjs";

/** @typedef {import("./drivers.mjs").Machine} Machine */
/** @typedef {import("./drivers.mjs").Way} Way */

/** The loader says much, and its first complaints are nearest to the cause. */
const MOST_LINES = 12;

/**
 * Why there is no adapter of a GPU: what was found where, what the drivers' libraries lack, and what the Vulkan loader
 * says.
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
    `  nvidia-smi     ${outputOf("nvidia-smi", ["-L"], machine.environment)[0] ?? "says nothing, or is not there"}`,
    `  Vulkan loader  ${placeOf(machine, "libvulkan.so.1") ?? "none on the machine: the archive's"}`,
    ...findManifests(machine).map(({ file, library }) => {
      const place = placeOf(machine, library) ?? "which is nowhere";
      return `  ${file}: ${library ?? "names no library"}, ${place}`;
    }),
    ...failures.flatMap((failure) => explainFailure(machine, failure, probe)),
    "",
    "The driver must come with its Vulkan part; in a container, run it with NVIDIA_DRIVER_CAPABILITIES=all.",
    "A manifest that lies elsewhere can be named: VK_DRIVER_FILES=/path/to/nvidia_icd.json ./run.sh",
  ];
}

function explainFailure(machine, { way, environment, reason }, probe) {
  const library = placeOf(machine, way.library);
  const needs = library === undefined ? [] : outputOf("ldd", [library], environment);
  const missing = needs.filter((line) => line.includes("not found"));
  const said = outputOf(process.execPath, [probe], { ...environment, VK_LOADER_DEBUG: "error,warn,driver" });
  // Dawn looks several times, and the loader says the same each time; the line of JSON is the probe's own.
  const messages = [...new Set(said.filter((line) => !line.startsWith("{")))].slice(0, MOST_LINES);
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

/** The lines that a program prints, also on standard error; none where it cannot be run. */
function outputOf(program, programArguments, env) {
  const { stdout, stderr } = spawnSync(program, programArguments, { encoding: "utf8", env, timeout: 30_000 });
  return `${stdout ?? ""}\n${stderr ?? ""}`.split("\n").filter((line) => line.trim() !== "");
}
