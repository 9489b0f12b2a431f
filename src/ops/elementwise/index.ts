export * from "./arithmetic.ts";
export * from "./activations.ts";
export * from "./functions.ts";
export { elementwise, type ElementwiseFunction, type ElementwiseGradient, type Operand } from "./function.ts";
