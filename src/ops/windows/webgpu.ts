import library from "../../../shaders/random.wgsl?raw";
import type { PointwiseKernel } from "../kernel.ts";
import { integerLiteral } from "../webgpu/wgsl.ts";
import type { DrawWindowsAttributes } from "./index.ts";

const drawWindows: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: () => 0,
  expression(node, [data, key, first], { index }) {
    const { length, elements, planes } = node.attributes as DrawWindowsAttributes;
    const width = integerLiteral(length);
    const number = `${first!.at("0u")} + ${index} / ${width}`;
    const start = `random_below(${number}, ${key!.at("0u")}, ${integerLiteral(elements - length + 1)})`;
    const position = `${start} + ${index} % ${width}`;
    const low = data!.at(position);
    if (planes === 1) return low;
    return `(${low} + 256u * ${data!.at(`${integerLiteral(elements)} + ${position}`)})`;
  },
};

export const kernels = { drawWindows };
