import type { WasmPointwiseKernel } from "../wasm-kernel.ts";
import { constantIndex } from "../wasm/indices.ts";
import { bits, instruction, shift, type Vector } from "../wasm/vectors.ts";
import { dropoutThreshold, type DropoutMaskAttributes } from "./index.ts";

const xor = (a: Vector, b: Vector) => instruction("v128.xor", a, b);
const multiply = (a: Vector, b: Vector) => instruction("i32x4.mul", a, b);
const shiftRight = (value: Vector, by: number) => shift("i32x4.shr_u", value, by);

/** Each lane shifted by its own four highest bits: by 8, 4, 2 and 1 where those bits are set. */
function shiftedByHighest(value: Vector): Vector {
  return [8, 4, 2, 1].reduce((shifted, by, place) => {
    const isSet = shift("i32x4.shr_s", shift("i32x4.shl", value, place), 31);
    return instruction("v128.bitselect", shiftRight(shifted, by), shifted, isSet);
  }, value);
}

/** PCG-RXS-M-XS on 32 bits as a hash, the twin of `pcgHash` in src/random.ts. */
function pcgHash(value: Vector): Vector {
  const state = instruction("i32x4.add", multiply(value, bits(747796405)), bits(2891336453));
  const word = multiply(xor(shiftRight(shiftedByHighest(state), 4), state), bits(277803737));
  return xor(shiftRight(word, 22), word);
}

const dropoutMask: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 0,
  vector(node, [key], place) {
    const { rate } = node.attributes as DropoutMaskAttributes;
    const keys: Vector = { kind: "integers", index: key!.integerAt(constantIndex(0)) };
    const drawn = pcgHash(xor(keys, pcgHash({ kind: "integers", index: place })));
    const isDropped = instruction("i32x4.lt_u", drawn, bits(dropoutThreshold(rate)));
    return instruction("v128.andnot", 1 / (1 - rate), isDropped);
  },
};

export const kernels = { dropoutMask };
