import type { Command } from "commander";
import { createWasmBackend } from "../../backends/on-demand.ts";
import { describeAdapter, requestAdapter } from "../../device/adapter.ts";
import { DeviceError } from "../../errors.ts";
import { dawnGpu, nodeWasm } from "../../node/index.ts";
import { print } from "../text/terminal.ts";
import { wrap } from "../text/text.ts";

/** `wgrad devices`. */
export function devicesCommand(command: Command): Command {
  return command
    .description(
      "Prints the devices that wgrad can use: the WebGPU adapter with its features and limits, WebAssembly, and the CPU.",
    )
    .addHelpText("after", "\nExample:\n  wgrad devices")
    .action(devices);
}

async function devices(): Promise<void> {
  print(["WebGPU (--device webgpu)"]);
  try {
    const source = await dawnGpu();
    try {
      print(adapterLines(await requestAdapter(source)));
    } finally {
      source.release();
    }
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    print(indented("adapter", `none: ${error.what}.`));
    if (error.fix !== undefined) print(indented("", `${error.fix}.`));
  }
  print(["", "WebAssembly (--device wasm)", ...(await wasmLines())]);
  print(["", "CPU (--device cpu)", ...indented("reference", "always available: plain loops in float32 on one core")]);
}

async function wasmLines(): Promise<string[]> {
  try {
    const backend = await createWasmBackend(nodeWasm());
    backend.dispose();
    return indented("threads", `${nodeWasm().threads}, with SIMD`);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return indented("none", `${error.what}.`);
  }
}

function adapterLines({ info, features, limits }: GPUAdapter): string[] {
  const { name, software } = describeAdapter(info);
  const kind = software ? "software adapter, which computes on the CPU" : "GPU";
  return [
    ...indented("adapter", name),
    ...indented("kind", kind),
    ...indented("vendor", info.vendor || "unknown"),
    ...indented("architecture", info.architecture || "unknown"),
    ...indented("driver", info.description || "unknown"),
    ...indented("features", [...features].toSorted().join(" ")),
    "  limits",
    ...limitLines(limits),
  ];
}

/** An indented name and its value, in lines of at most 80 columns. */
function indented(name: string, value: string): string[] {
  return wrap(value.split(" "), 64).map((line, position) => `  ${(position === 0 ? name : "").padEnd(14)}${line}`);
}

/** The limits whose values are numbers; Dawn's object also has other properties. */
function limitLines(limits: GPUSupportedLimits): string[] {
  // The limits are accessors on the prototype, which Object.entries does not list.
  const names: string[] = [];
  for (const name in limits) names.push(name);
  const values = limits as unknown as Readonly<Record<string, unknown>>;
  const numbers = names.filter((name) => typeof values[name] === "number");
  const width = Math.max(...numbers.map((name) => name.length));
  return numbers.map((name) => `    ${name.padEnd(width)}  ${String(values[name])}`);
}
