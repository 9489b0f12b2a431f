import { isComputed } from "../../compiler/nodes.ts";
import type { Op, Tensor } from "../../graph/tensor.ts";
import type { AnchorKernel, AtomicKernel, PointwiseKernel, WebGPUKernel } from "../../ops/kernel.ts";
import { collectKernels, findKernel } from "../registry.ts";

const kernels = collectKernels<WebGPUKernel>(import.meta.glob("../../ops/*/webgpu.ts", { eager: true }));

const kernelOf = (op: Op): WebGPUKernel => findKernel(kernels, op, "webgpu.ts");

export function pointwiseKernel(node: Tensor): PointwiseKernel | undefined {
  if (!isComputed(node)) return undefined;
  const kernel = kernelOf(node.op);
  return kernel.kind === "pointwise" ? kernel : undefined;
}

export function anchorKernel(node: Tensor): AnchorKernel | undefined {
  if (!isComputed(node)) return undefined;
  const kernel = kernelOf(node.op);
  return kernel.kind === "anchor" ? kernel : undefined;
}

export function atomicKernel(result: Tensor): AtomicKernel | undefined {
  const kernel = kernelOf(result.op);
  return kernel.kind === "atomic" ? kernel : undefined;
}
