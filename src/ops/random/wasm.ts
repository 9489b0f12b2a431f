import type { WasmPointwiseKernel } from "../wasm-kernel.ts";
import { drawnBits } from "../wasm/random.ts";
import { instruction, shift } from "../wasm/vectors.ts";

const randomUniform: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 0,
  vector(_, [key], place) {
    const drawn = shift("i32x4.shr_u", drawnBits(key!, place), 8);
    return instruction("f32x4.mul", instruction("f32x4.convert_i32x4_u", drawn), 2 ** -24);
  },
};

export const kernels = { randomUniform };
