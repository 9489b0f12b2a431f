import type { WasmInput } from "../wasm-kernel.ts";
import { constantIndex, type Index } from "./indices.ts";
import { bits, instruction, shift, type Vector } from "./vectors.ts";

const xor = (a: Vector, b: Vector) => instruction("v128.xor", a, b);
const multiply = (a: Vector, b: Vector) => instruction("i32x4.mul", a, b);
const shiftRight = (value: Vector, by: number) => shift("i32x4.shr_u", value, by);

/** Shifts each lane right by the number in its own four highest bits: by 8, 4, 2 and 1 if these bits are set. */
function shiftedByHighest(value: Vector): Vector {
  return [8, 4, 2, 1].reduce((shifted, by, place) => {
    const isSet = shift("i32x4.shr_s", shift("i32x4.shl", value, place), 31);
    return instruction("v128.bitselect", shiftRight(shifted, by), shifted, isSet);
  }, value);
}

/** PCG-RXS-M-XS on 32 bits as a hash, equal to `pcgHash` in src/random.ts. */
function pcgHash(value: Vector): Vector {
  const state = instruction("i32x4.add", multiply(value, bits(747796405)), bits(2891336453));
  const word = multiply(xor(shiftRight(shiftedByHighest(state), 4), state), bits(277803737));
  return xor(shiftRight(word, 22), word);
}

/** 32 random bits per element, from a key of one uint32 and the element's index. */
export function drawnBits(key: WasmInput, place: Index): Vector {
  const keys: Vector = { kind: "integers", index: key.integerAt(constantIndex(0)) };
  return pcgHash(xor(keys, pcgHash({ kind: "integers", index: place })));
}
