import type { BackendRules } from "../../src/compiler/backend-rules.ts";

/** The rules of a backend that fuses whatever ops allow. */
export const usualRules: BackendRules = {
  mostBindings: 8,
  oneAccessPerBuffer: true,
  recomputes: true,
  atomics: true,
  canFuse: () => true,
  fusesReductions: () => true,
};
