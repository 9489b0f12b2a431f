/* WebAssembly instructions as numbers, and the type of a generated function. */
import type { Tensor } from "../../../graph/tensor.ts";
import { VECTOR_INSTRUCTIONS } from "../../../ops/wasm/instructions.ts";
import type { HostFunction, ShiftInstruction } from "../../../ops/wasm/vectors.ts";
import { float64, signed, unsigned, word } from "./bytes.ts";

/** The operand of a call to an imported JavaScript function. */
export class HostCall {
  readonly compute: HostFunction;
  readonly arity: number;

  constructor(compute: HostFunction, arity: number) {
    this.compute = compute;
    this.arity = arity;
  }

  equals({ compute, arity }: HostCall): boolean {
    return this.compute === compute && this.arity === arity;
  }
}

/** Instruction bytes, and calls whose function index the module assigns. Nesting joins code without copying it. */
export type Code = readonly (number | HostCall | Code)[];

/** Code without nesting. */
export type FlatCode = readonly (number | HostCall)[];

export function flatten(code: Code): FlatCode {
  const flat: (number | HostCall)[] = [];
  const append = (parts: Code): void => {
    for (const part of parts) {
      if (Array.isArray(part)) append(part as Code);
      else flat.push(part as number | HostCall);
    }
  };
  append(code);
  return flat;
}

/** A generated function without addresses. Equal chains share it. */
export interface ChainFunction {
  /** Functions with the same key are equal. */
  readonly key: string;
  /** The argument block: word i holds the byte address of the first element of `tensors[i]`. */
  readonly tensors: readonly Tensor[];
  /** Whether it calls JavaScript, so that only the calling thread can run it. */
  readonly callsHost: boolean;
  /** Floating-point operations per element. */
  readonly flops: number;
  /** The estimated time per element in nanoseconds. */
  readonly nanoseconds: number;
  /** The local variables and the instructions. */
  readonly code: FlatCode;
}

export const I32 = 0x7f;
export const V128 = 0x7b;

const vector = (instruction: number) => [0xfd, ...unsigned(instruction)];
/** The memory argument of a load or store: an alignment of 1 byte, and the offset. */
const at = (offset: number) => [0, ...unsigned(offset)];

export const code = {
  get: (local: number) => [0x20, ...unsigned(local)],
  set: (local: number) => [0x21, ...unsigned(local)],
  tee: (local: number) => [0x22, ...unsigned(local)],
  call: (index: number) => [0x10, ...unsigned(index)],
  callHost: (call: HostCall): Code => [0x10, call],
  return: [0x0f],
  /** Opens a block whose start a branch jumps to. */
  loop: [0x03, 0x40],
  if: [0x04, 0x40],
  else: [0x05],
  end: [0x0b],
  branchIf: (depth: number) => [0x0d, depth],
  select: [0x1b],

  integer: (value: number) => [0x41, ...signed(value)],
  double: (value: number) => [0x44, ...float64(value)],
  load: (offset: number) => [0x28, ...at(offset)],
  loadByte: [0x2d, ...at(0)],
  lessUnsigned: [0x49],
  greaterUnsigned: [0x4b],
  atLeastUnsigned: [0x4f],
  add: [0x6a],
  subtract: [0x6b],
  multiply: [0x6c],
  divide: [0x6e],
  remainder: [0x70],
  shiftLeft: [0x74],
  /** Convert uint32 and float32 to float64, and float64 to float32. */
  doubleOfUnsigned: [0xb8],
  doubleOfFloat: [0xbb],
  floatOfDouble: [0xb6],

  vector: (name: keyof typeof VECTOR_INSTRUCTIONS) => vector(VECTOR_INSTRUCTIONS[name]),
  shift: (name: ShiftInstruction) => vector({ "i32x4.shl": 0xab, "i32x4.shr_s": 0xac, "i32x4.shr_u": 0xad }[name]),
  vectorLoad: [...vector(0x00), ...at(0)],
  vectorLoadSame: [...vector(0x09), ...at(0)],
  vectorLoadOne: [...vector(0x5c), ...at(0)],
  vectorLoadLane: (lane: number) => [...vector(0x56), ...at(0), lane],
  vectorLoadByteLane: (lane: number) => [...vector(0x54), ...at(0), lane],
  vectorStore: [...vector(0x0b), ...at(0)],
  vectorStoreLane: (lane: number) => [...vector(0x5a), ...at(4 * lane), lane],
  vectorConstant: (lanes: readonly number[]) => [...vector(0x0c), ...lanes.flatMap(word)],
  anyTrue: vector(0x53),
  integerSplat: vector(0x11),
  integerLane: (lane: number) => [...vector(0x1b), lane],
  replaceInteger: (lane: number) => [...vector(0x1c), lane],
  floatLane: (lane: number) => [...vector(0x1f), lane],
  replaceFloat: (lane: number) => [...vector(0x20), lane],
  /** Convert four bytes in the lowest lane to four uint32, and a byte in each lane to float32. */
  widenBytes: [...vector(0x89), ...vector(0xa9)],
  floatOfSigned: vector(0xfa),
};
