import packing from "../../../shaders/float16_pack.wgsl?raw";
import rounding from "../../../shaders/float16_rounding.wgsl?raw";
import type { PointwiseKernel } from "../kernel.ts";
import { integerLiteral } from "../webgpu/wgsl.ts";

const packFloat16: PointwiseKernel = {
  kind: "pointwise",
  library: `${rounding}\n${packing}`,
  flops: () => 2,
  expression({ inputs }, [x], { index }) {
    const { size } = inputs[0]!;
    const [first, second] = [`2u * ${index}`, `2u * ${index} + 1u`];
    const within = size % 2 === 0 ? second : `min(${second}, ${integerLiteral(size - 1)})`;
    const last = size % 2 === 0 ? x!.at(within) : `select(${x!.at(within)}, 0.0, ${second} >= ${integerLiteral(size)})`;
    return `pack_float16(${x!.at(first)}, ${last})`;
  },
};

const unpackFloat16: PointwiseKernel = {
  kind: "pointwise",
  library: "",
  flops: () => 1,
  expression: (_, [packed], { index }) =>
    `unpack2x16float(${packed!.at(`${index} / 2u`)} >> (16u * (${index} & 1u))).x`,
  vec4(_, [packed], { index }) {
    const pairs = [`${index} / 2u`, `${index} / 2u + 1u`].map((word) => `unpack2x16float(${packed!.at(word)})`);
    return `vec4(${pairs.join(", ")})`;
  },
};

export const kernels = { packFloat16, unpackFloat16 };
