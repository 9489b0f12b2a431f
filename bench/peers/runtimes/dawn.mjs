/*
 * WebGPU for libraries that look for the browser's navigator.gpu.
 */
import { create, globals } from "webgpu";

/** Puts Dawn where a browser has WebGPU. */
export function provideWebGPU() {
  const gpu = create([]);
  // Dawn's object is not kept alive by its devices: collected while one works, it crashes the process.
  Object.assign(globalThis, globals, { dawn: gpu });
  Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "Node.js" }, configurable: true });
}

/** What the default adapter is called. */
export async function adapterName() {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("WebGPU: no adapter was found; run `npm run setup` in wgrad's folder");
  const { vendor, architecture, device, description } = adapter.info;
  return [device || description, vendor, architecture].filter(Boolean).join(" ");
}
