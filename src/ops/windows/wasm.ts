import type { WasmPointwiseKernel } from "../wasm-kernel.ts";
import { constantIndex, lanesIndex, quotient, remainder, sum } from "../wasm/indices.ts";
import { drawnBits } from "../wasm/random.ts";
import { instruction } from "../wasm/vectors.ts";
import type { DrawWindowsAttributes } from "./index.ts";

const drawWindows: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 0,
  vector(node, [data, key, first], place) {
    const { length, elements, planes } = node.attributes as DrawWindowsAttributes;
    const number = sum(first!.integerAt(constantIndex(0)), quotient(place, length));
    const start = remainder(lanesIndex(drawnBits(key!, number)), elements - length + 1);
    const position = sum(start, remainder(place, length));
    const low = data!.at(position);
    if (planes === 1) return instruction("i32x4.trunc_sat_f32x4_u", low);
    const high = data!.at(sum(constantIndex(elements), position));
    const value = instruction("f32x4.add", low, instruction("f32x4.mul", high, 256));
    return instruction("i32x4.trunc_sat_f32x4_u", value);
  },
};

export const kernels = { drawWindows };
