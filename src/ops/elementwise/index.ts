export * from "./arithmetic.ts";
export * from "./activations.ts";
export { elementwise, type ElementwiseFunction, type Operand } from "./function.ts";
