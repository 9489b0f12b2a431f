import type { WasmPointwiseKernel } from "../wasm-kernel.ts";
import { choice, constantIndex, product, quotient, remainder, sum } from "../wasm/indices.ts";
import { bits, instruction, shift, type Vector } from "../wasm/vectors.ts";

const LARGEST_FLOAT16 = 0x477fe000;
const SMALLEST_NORMAL_FLOAT16 = 0x38800000;
const INFINITE = 0x7f800000;
/** The exponent of a float32 is 112 larger than that of the same float16. */
const EXPONENT_DIFFERENCE = 0x38000000;

const and = (value: Vector, mask: number) => instruction("v128.and", value, bits(mask));
const plus = (value: Vector, by: number) => instruction("i32x4.add", value, bits(by));
const isBelow = (value: Vector, limit: number) => instruction("i32x4.lt_u", value, bits(limit));

/** The bits of the nearest float16, rounded as in shaders/float16_rounding.wgsl. */
function float16Bits(value: Vector): Vector {
  const magnitude = and(value, 0x7fffffff);
  const odd = and(shift("i32x4.shr_u", magnitude, 13), 1);
  const rounded = and(instruction("i32x4.add", plus(magnitude, 0xfff), odd), 0xffffe000);
  const clipped = instruction("i32x4.min_u", rounded, bits(LARGEST_FLOAT16));
  const normal = shift("i32x4.shr_u", plus(clipped, -EXPONENT_DIFFERENCE), 13);
  const finite = instruction("v128.andnot", normal, isBelow(rounded, SMALLEST_NORMAL_FLOAT16));
  const isNan = instruction("i32x4.lt_u", bits(INFINITE), magnitude);
  const special = instruction("v128.or", bits(0x7c00), and(isNan, 0x200));
  const result = instruction("v128.bitselect", finite, special, isBelow(magnitude, INFINITE));
  return instruction("v128.or", result, and(shift("i32x4.shr_u", value, 16), 0x8000));
}

const packFloat16: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 2,
  vector({ inputs }, [x], place) {
    const { size } = inputs[0]!;
    const first = product(place, 2);
    const second = sum(first, constantIndex(1));
    const high = shift("i32x4.shl", float16Bits(x!.at(choice(second, size, second, first))), 16);
    const hasSecond = isBelow({ kind: "integers", index: second }, size);
    const kept = size % 2 === 0 ? high : instruction("v128.and", high, hasSecond);
    return instruction("v128.or", float16Bits(x!.at(first)), kept);
  },
};

const unpackFloat16: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 1,
  vector(_, [words], place) {
    const word: Vector = { kind: "integers", index: words!.integerAt(quotient(place, 2)) };
    // Vector shifts move all lanes by the same number of bits; a product can move the first number of a word up alone.
    const factor = choice(remainder(place, 2), 1, constantIndex(2 ** 16), constantIndex(1));
    const upper = instruction("i32x4.mul", word, { kind: "integers", index: factor });
    const magnitude = shift("i32x4.shr_u", and(upper, 0x7fff0000), 3);
    const isZero = instruction("i32x4.eq", magnitude, bits(0));
    const finite = instruction("v128.andnot", plus(magnitude, EXPONENT_DIFFERENCE), isZero);
    const special = plus(magnitude, 2 * EXPONENT_DIFFERENCE);
    const isFinite = isBelow(magnitude, INFINITE - 2 * EXPONENT_DIFFERENCE);
    const result = instruction("v128.bitselect", finite, special, isFinite);
    return instruction("v128.or", result, and(upper, 0x80000000));
  },
};

export const kernels = { packFloat16, unpackFloat16 };
