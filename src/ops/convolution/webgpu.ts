import library from "../../../shaders/convolution.wgsl?raw";
import type { PointwiseKernel } from "../kernel.ts";
import { integerLiteral, signedLiteral } from "../webgpu/wgsl.ts";
import type { PatchesAttributes } from "./patches.ts";

const patches: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: () => 0,
  expression(node, [image], { row, column }, { float }) {
    const { image: sizes, windows, fill, groups } = node.attributes as PatchesAttributes;
    const [examples, height, width, channels] = sizes;
    const { kernel, stride, dilation, before, spread, count } = windows;
    const own = channels / groups;
    const [u, i] = [integerLiteral, signedLiteral];
    const element = (axis: 0 | 1, window: string, place: string, size: number) =>
      `window_element(${window}, ${place}, ${[stride, dilation, before, spread].map((pair) => i(pair[axis])).join(", ")}, ${i(size)})`;
    const y = element(0, `(${row}) / ${u(count[1])} % ${u(count[0])}`, `(${column}) / ${u(kernel[1] * own)}`, height);
    const x = element(1, `(${row}) % ${u(count[1])}`, `(${column}) / ${u(own)} % ${u(kernel[1])}`, width);
    const rows = examples * count[0] * count[1];
    const example = `(${row}) / ${u(count[0] * count[1])} % ${u(examples)}`;
    const group = groups === 1 ? "" : ` + (${row}) / ${u(rows)} * ${u(own)}`;
    const pixel = `(${example} * ${u(height)} + u32(max(${y}, 0i))) * ${u(width)} + u32(max(${x}, 0i))`;
    const value = image!.at(`(${pixel}) * ${u(channels)} + (${column}) % ${u(own)}${group}`);
    const padding = node.dtype === "float32" ? float(fill) : u(fill);
    return `select(${value}, ${padding}, min(${y}, ${x}) < 0i)`;
  },
};

export const kernels = { patches };
