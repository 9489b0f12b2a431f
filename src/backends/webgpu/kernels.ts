import { constantOp, stepScalarOp } from "../../graph/leaves.ts";
import type { Op, Tensor } from "../../graph/tensor.ts";
import type { AnchorKernel, PointwiseKernel, WebGPUKernel } from "../../ops/kernel.ts";
import { rootOf } from "../../graph/views.ts";
import { collectKernels, findKernel } from "../registry.ts";

const kernels = collectKernels<WebGPUKernel>(import.meta.glob("../../ops/*/webgpu.ts", { eager: true }));

const kernelOf = (op: Op): WebGPUKernel => findKernel(kernels, op, "webgpu.ts");

/** A pack has no kernel: its members are computed in their places. */
export const isPack = (node: Tensor): boolean => node.op.name === "pack";

export const isComputed = (node: Tensor): boolean => node.op.kind === "compute" && !isPack(node);

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


export { rootOf };

/** Whether a node, or an inlined one that it reads, takes other elements of a tensor than its own. */
export function gathersFrom(node: Tensor, tensor: Tensor, inlined: ReadonlySet<Tensor>): boolean {
  const gathers = pointwiseKernel(node)?.gathers ?? false;
  return node.inputs.map(rootOf).some((root) => (root === tensor ? gathers : inlined.has(root) && gathersFrom(root, tensor, inlined)));
}

/** A constant of one element is a literal in the kernels that read it. */
export const isLiteral = (tensor: Tensor): boolean => tensor.op === constantOp && tensor.size === 1;

export const isStepScalar = (tensor: Tensor): boolean => tensor.op === stepScalarOp;
