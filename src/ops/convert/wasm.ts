import type { WasmPointwiseKernel } from "../wasm-kernel.ts";
import { instruction } from "../wasm/vectors.ts";

const toIndex: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 1,
  vector: (_, [x]) => instruction("i32x4.trunc_sat_f32x4_u", x!.here()),
};

export const kernels = { toIndex };
