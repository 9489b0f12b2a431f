import type { WasmPointwiseKernel } from "../wasm-kernel.ts";
import { bits, instruction } from "../wasm/vectors.ts";
import type { ToIndexOptions } from "./index.ts";

const toIndex: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 1,
  vector({ attributes }, [x]) {
    const { below } = attributes as ToIndexOptions;
    const index = instruction("i32x4.trunc_sat_f32x4_u", x!.here());
    return below === undefined ? index : instruction("i32x4.min_u", index, bits(below - 1));
  },
};

export const kernels = { toIndex };
