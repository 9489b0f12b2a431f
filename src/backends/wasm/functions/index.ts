/*
 * WebAssembly functions generated from the compiler's groups. All have the type `(args, start, end, scratch) -> ()`:
 * `args` is the byte address of the argument block, and [start, end) is a range of elements.
 */
import type { Member } from "../../../compiler/fuse.ts";
import { greatestCommonDivisor } from "../../../divisors.ts";
import type { Tensor } from "../../../graph/tensor.ts";
import type { Index } from "../../../ops/wasm/indices.ts";
import type { Vector } from "../../../ops/wasm/vectors.ts";
import { pointwiseKernel } from "../kernels.ts";
import { HostCall, type ChainFunction } from "./code.ts";
import { ChainExpressions } from "./expressions.ts";
import { divisorsIn } from "./rows.ts";
import { writeFunction, type Store, type WrittenFunction } from "./write.ts";

export type { ChainFunction } from "./code.ts";
export { encodeModule, type EncodedModule, type MemoryType } from "./module.ts";

/**
 * A function that computes the chain of a member for elements [start, end) and stores those of its nodes that are in
 * `outputs`. A member without an anchor is a loop over its inputs. An anchor's result is read from memory like any
 * input, so it must be stored.
 */
export function chainFunction(
  { chain }: Member,
  outputs: readonly Tensor[],
  inlined: ReadonlySet<Tensor>,
): ChainFunction {
  const expressions = new ChainExpressions(chain, inlined);
  const stored = chain.filter((node) => outputs.includes(node));
  const stores = stored.map((node) => ({ value: expressions.stored(node), to: node }));
  return write(stores, chain, chain[0]!.size);
}

/** A function that writes elements [start, end) of an inlined tensor to `scratch`, beginning with element `start`. */
export function fillFunction(tensor: Tensor, inlined: ReadonlySet<Tensor>): ChainFunction {
  const expressions = new ChainExpressions([tensor], inlined);
  return write([{ value: expressions.stored(tensor), to: "scratch" }], [tensor], tensor.size);
}

/**
 * The number of bytes of code that run in a nanosecond, at least for loops over elements in the cache (0.2 to 5.5 ns per
 * element, AMD EPYC, Node 20).
 */
const BYTES_PER_NANOSECOND = 60;

/** Writes the function for several row lengths and returns the one with the lowest estimated cost. */
function write(stores: readonly Store[], nodes: readonly Tensor[], size: number): ChainFunction {
  const lengths = new Set(stores.flatMap(({ value }) => indicesIn(value)).flatMap(divisorsIn));
  const shared = [...lengths].map((length) => greatestCommonDivisor(length, size));
  const written = [size, ...new Set(shared.filter((length) => length > 1 && length < size))]
    .map((columns) => writeFunction(stores, size, columns))
    .reduce((best, other) => (other.cost < best.cost ? other : best));
  return {
    key: keyOf(written),
    tensors: written.tensors,
    callsHost: written.code.some((part) => part instanceof HostCall),
    flops: nodes.reduce((sum, node) => sum + (pointwiseKernel(node)?.flops(node) ?? 0), 0),
    nanoseconds: written.cost / BYTES_PER_NANOSECOND,
    code: written.code,
  };
}

function indicesIn(vector: Vector): Index[] {
  const found: Index[] = [];
  const seen = new Set<Vector>();
  const visit = (current: Vector): void => {
    if (seen.has(current)) return;
    seen.add(current);
    if ("index" in current) found.push(current.index);
    else if (current.kind === "shift") visit(current.input);
    else if ("inputs" in current) current.inputs.forEach(visit);
  };
  visit(vector);
  return found;
}

const hostKeys = new WeakMap<object, string>();
let hostFunctions = 0;

function keyOf({ code }: WrittenFunction): string {
  return code
    .map((part) => {
      if (!(part instanceof HostCall)) return String.fromCharCode(part);
      const { compute, arity } = part;
      if (!hostKeys.has(compute)) hostKeys.set(compute, `host function ${hostFunctions++}`);
      return `(${hostKeys.get(compute)} of ${arity})`;
    })
    .join("");
}
