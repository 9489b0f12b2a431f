/*
 * Encodes generated functions as a module (https://webassembly.github.io/spec/core/binary/modules.html).
 */
import { MATH_FUNCTIONS, MATH_ARITY } from "../../../ops/wasm/vectors.ts";
import { list, signed, text, unsigned } from "./bytes.ts";
import { HostCall, type ChainFunction } from "./code.ts";

/** The type of the memory that a module imports. */
export interface MemoryType {
  /** The maximum size in pages of 64 KiB. */
  readonly maximum: number;
  readonly shared: boolean;
}

/** A module of generated functions. */
export interface EncodedModule {
  /**
   * Imports `env.memory`, `env.table`, `kernels.NAME` for each name of MATH_FUNCTIONS (exports of the kernels' module),
   * and `host.0`, `host.1`, …. Instantiation puts function i into entry `tableStart + i` of the table, which must be
   * large enough.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What to import as `host.0`, `host.1`, … on the calling thread; other threads import any function. */
  readonly hostFunctions: readonly HostCall["compute"][];
}

/** "\0asm" and the version of the format. */
const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

const I32 = 0x7f;
const F64 = 0x7c;
const V128 = 0x7b;

const functionType = (parameters: readonly number[], results: readonly number[]) => [
  0x60,
  ...list(parameters.map((type) => [type])),
  ...list(results.map((type) => [type])),
];

const section = (id: number, entries: readonly (readonly number[])[]) => {
  const content = list(entries);
  return [id, ...unsigned(content.length), ...content];
};

/** Types of the generated functions, and of the math functions by their number of arguments. */
const TYPES = [
  functionType([I32, I32, I32, I32], []),
  functionType([V128], [V128]),
  functionType([V128, V128], [V128]),
];

/** Puts generated functions into a module. */
export function encodeModule(
  functions: readonly Pick<ChainFunction, "code">[],
  tableStart: number,
  { maximum, shared }: MemoryType,
): EncodedModule {
  const hostCalls = distinct(functions.flatMap(({ code }) => code.filter((part) => part instanceof HostCall)));
  const imported = MATH_FUNCTIONS.length + hostCalls.length;
  const arities = [...new Set(hostCalls.map(({ arity }) => arity))];
  const types = [...TYPES, ...arities.map((arity) => functionType(new Array<number>(arity).fill(F64), [F64]))];
  const imports = [
    [...text("env"), ...text("memory"), 0x02, shared ? 0x03 : 0x01, 0, ...unsigned(maximum)],
    [...text("env"), ...text("table"), 0x01, 0x70, 0x00, 0],
    ...MATH_FUNCTIONS.map((name) => [...text("kernels"), ...text(name), 0x00, MATH_ARITY[name]]),
    ...hostCalls.map(({ arity }, index) => [
      ...text("host"),
      ...text(String(index)),
      0x00,
      ...unsigned(TYPES.length + arities.indexOf(arity)),
    ]),
  ];
  const indices = functions.map((_, index) => unsigned(imported + index));
  const bodies = functions.map(({ code }) => {
    const bytes = code.flatMap((part) =>
      part instanceof HostCall
        ? unsigned(MATH_FUNCTIONS.length + hostCalls.findIndex((call) => call.equals(part)))
        : [part],
    );
    return [...unsigned(bytes.length), ...bytes];
  });
  const bytes = new Uint8Array([
    ...HEADER,
    ...section(1, types),
    ...section(2, imports),
    ...section(
      3,
      functions.map(() => [0]),
    ),
    ...section(9, [[0x00, 0x41, ...signed(tableStart), 0x0b, ...list(indices)]]),
    ...section(10, bodies),
  ]);
  return { bytes, hostFunctions: hostCalls.map(({ compute }) => compute) };
}

const distinct = (calls: readonly HostCall[]): HostCall[] =>
  calls.filter((call, index) => calls.findIndex((other) => other.equals(call)) === index);
