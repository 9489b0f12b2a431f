import type { BackendRules } from "../../compiler/backend-rules.ts";

/** What the WebAssembly backend states to the compiler: one anchor a kernel, which reads and writes one memory. */
export const wasmRules: BackendRules = {
  mostBindings: Infinity,
  oneAccessPerBuffer: false,
  recomputes: true,
  storesVirtualInputs: true,
  canFuse: () => false,
  atomics: false,
  makesTotals: () => false,
};
