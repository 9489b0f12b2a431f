import type { WasmOperand, WasmResult } from "../wasm-kernel.ts";

/** An operand in an argument block, as assembly/operand.ts reads it. */
export const operandWords = ({ address, fill, fillArguments }: WasmOperand): number[] => [address, fill, fillArguments];

/** A result in an argument block. */
export const resultWords = ({ address, finish, finishArguments }: WasmResult): number[] => [
  address,
  finish,
  finishArguments,
];
