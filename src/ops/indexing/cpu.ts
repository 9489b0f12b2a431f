import { sizeOf } from "../../graph/tensor.ts";
import type { CpuKernel } from "../kernel.ts";
import { joinedAxes, sourceOf } from "./axis-map.ts";
import type { ConcatAttributes } from "./concat.ts";
import type { MoveAttributes } from "./move.ts";
import type { SumByIndexAttributes, TakeAttributes } from "./take.ts";

const move: CpuKernel = (node, [x], output) => {
  const { maps, fill } = node.attributes as MoveAttributes;
  const axes = joinedAxes(node.inputs[0]!.shape, node.shape, maps);
  const sources = axes.map((axis) => Array.from({ length: axis.to }, (_, position) => sourceOf(axis, position)));
  for (let index = 0; index < output.length; index++) {
    let rest = index;
    let source = 0;
    let stride = 1;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const { from, to } = axes[axis]!;
      const position = sources[axis]![rest % to]!;
      source = position < 0 || source < 0 ? -1 : source + position * stride;
      rest = Math.floor(rest / to);
      stride *= from;
    }
    output[index] = source < 0 ? fill : x![source]!;
  }
};

const concat: CpuKernel = (node, inputs, output) => {
  const { starts, axis } = node.attributes as ConcatAttributes;
  const inner = sizeOf(node.shape.slice(axis + 1));
  const row = node.shape[axis]! * inner;
  inputs.forEach((values, position) => {
    const width = node.inputs[position]!.shape[axis]! * inner;
    for (let outer = 0; outer * row < output.length; outer++)
      output.set(values.subarray(outer * width, (outer + 1) * width), outer * row + starts[position]! * inner);
  });
};

const take: CpuKernel = (node, [x, indices], output) => {
  const { outer, size, inner, count } = node.attributes as TakeAttributes;
  for (let block = 0; block < outer * count; block++) {
    const source = (Math.floor(block / count) * size + indices![block % count]!) * inner;
    output.set(x!.subarray(source, source + inner), block * inner);
  }
};

const takeAlong: CpuKernel = (node, [x, indices], output) => {
  const { size, inner, count } = node.attributes as TakeAttributes;
  for (let index = 0; index < output.length; index++) {
    const outer = Math.floor(index / (count * inner));
    output[index] = x![(outer * size + indices![index]!) * inner + (index % inner)]!;
  }
};

const sortOrder: CpuKernel = (_, [keys], output) => {
  const positions = Array.from(keys!, (_value, position) => position);
  output.set(positions.sort((a, b) => keys![a]! - keys![b]!));
};

const sumByIndex: CpuKernel = (node, [values, indices], output) => {
  const { outer, count, inner, size } = node.attributes as SumByIndexAttributes;
  output.fill(0);
  for (let block = 0; block < outer * count; block++) {
    const target = (Math.floor(block / count) * size + indices![block % count]!) * inner;
    for (let at = 0; at < inner; at++) output[target + at]! += values![block * inner + at]!;
  }
};

export const kernels = { move, concat, take, takeAlong, sortOrder, sumByIndex };
