export * from "./arithmetic.ts";
export * from "./activations.ts";
export type { Operand } from "./function.ts";
