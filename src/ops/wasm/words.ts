import type { WasmOperand, WasmResult } from "../wasm-kernel.ts";

/** The words of an operand in an argument block, as assembly/operand.ts reads them. */
export const operandWords = ({ address, fill, fillArguments }: WasmOperand): number[] => [address, fill, fillArguments];

/** The words of a result in an argument block. */
export const resultWords = ({ address, finish, finishArguments }: WasmResult): number[] => [
  address,
  finish,
  finishArguments,
];
