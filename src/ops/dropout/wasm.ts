import type { WasmPointwiseKernel } from "../wasm-kernel.ts";
import { drawnBits } from "../wasm/random.ts";
import { bits, instruction } from "../wasm/vectors.ts";
import { dropoutThreshold, type DropoutMaskAttributes } from "./index.ts";

const dropoutMask: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 0,
  vector(node, [key], place) {
    const { rate } = node.attributes as DropoutMaskAttributes;
    const isDropped = instruction("i32x4.lt_u", drawnBits(key!, place), bits(dropoutThreshold(rate)));
    return instruction("v128.andnot", 1 / (1 - rate), isDropped);
  },
};

export const kernels = { dropoutMask };
