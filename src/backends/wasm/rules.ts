import type { BackendRules } from "../../compiler/backend-rules.ts";

/** The rules of the WebAssembly backend for the compiler: one anchor per kernel, which reads and writes one memory. */
export const wasmRules: BackendRules = {
  mostBindings: Infinity,
  oneAccessPerBuffer: false,
  recomputes: true,
  storesVirtualInputs: true,
  canFuse: () => false,
  atomics: false,
  fusesReductions: () => false,
};
