/*
 * WebGPU for libraries that look for the browser's navigator.gpu.
 */
import { create, globals } from "webgpu";

/** Installs Dawn as navigator.gpu. */
export function provideWebGPU() {
  const gpu = create([]);
  // Devices do not keep Dawn's object alive: if it is garbage collected while one works, the process crashes.
  Object.assign(globalThis, globals, { dawn: gpu });
  Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "Node.js" }, configurable: true });
}

/** The name of the default adapter. */
export async function adapterName() {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("WebGPU: no adapter was found; run `npm run setup` in wgrad's folder");
  const { vendor, architecture, device, description } = adapter.info;
  return [device || description, vendor, architecture].filter(Boolean).join(" ");
}
