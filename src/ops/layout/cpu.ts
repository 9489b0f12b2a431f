import { stridesOf, type Tensor } from "../../graph/tensor.ts";
import { broadcastIndex } from "../elementwise/cpu.ts";
import type { CpuKernel } from "../kernel.ts";
import type { AxisIndexAttributes, PackAttributes, TransposeAttributes } from "./index.ts";

const transpose: CpuKernel = (node, [x], output) => {
  const { order } = node.attributes as TransposeAttributes;
  const from = stridesOf(node.inputs[0]!.shape);
  const to = stridesOf(node.shape);
  for (let index = 0; index < output.length; index++) {
    const source = order.reduce(
      (sum, axis, position) => sum + (Math.floor(index / to[position]!) % node.shape[position]!) * from[axis]!,
      0,
    );
    output[index] = x![source]!;
  }
};

const broadcastTo: CpuKernel = (node, [x], output) => {
  const at = broadcastIndex(node.inputs[0]!.shape, node.shape);
  for (let index = 0; index < output.length; index++) output[index] = x![at(index)]!;
};

const copy: CpuKernel = (_, [x], output) => output.set(x!);

const axisIndex: CpuKernel = (node, _, output) => {
  const { inner, count } = node.attributes as AxisIndexAttributes;
  for (let index = 0; index < output.length; index++) output[index] = Math.floor(index / inner) % count;
};

const pack: CpuKernel = (node: Tensor, inputs, output) => {
  const { offsets } = node.attributes as PackAttributes;
  output.fill(0);
  inputs.forEach((values, position) => output.set(values, offsets[position]!));
};

export const kernels = { transpose, broadcastTo, copy, axisIndex, pack };
