import { isComputed } from "../../compiler/nodes.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Op, Tensor } from "../../graph/tensor.ts";
import type { AnchorKernel, AtomicKernel, LaunchLimits, PointwiseKernel, WebGPUKernel } from "../../ops/kernel.ts";
import { collectKernels, findKernel } from "../registry.ts";

/** The kernels of networks of dense layers, and the others once a graph has needed one of them. */
const kernels = new Map(
  collectKernels<WebGPUKernel>(
    import.meta.glob(
      [
        "../../ops/*/webgpu.ts",
        "!../../ops/{attention,convolution,float16,indexing,layer-norm,parts,scan,windows}/webgpu.ts",
      ],
      {
        eager: true,
      },
    ),
  ),
);

/** Loads the kernels of a graph's ops. Call it before the graph is compiled. */
export async function loadKernels({ nodes }: Graph, limits: LaunchLimits): Promise<void> {
  const computed = nodes.filter(isComputed);
  if (!computed.every(({ op }) => kernels.has(op.kernel ?? op.name))) {
    const { moreKernels } = await import("./more-kernels.ts");
    for (const [name, kernel] of moreKernels) kernels.set(name, kernel);
  }
  await Promise.all(computed.map((node) => anchorKernel(node)?.load?.(node, limits)));
}

const kernelOf = (op: Op): WebGPUKernel => findKernel(kernels, op, "webgpu.ts");

export function pointwiseKernel(node: Tensor): PointwiseKernel | undefined {
  if (!isComputed(node)) return undefined;
  const kernel = kernelOf(node.op);
  return kernel.kind === "pointwise" ? kernel : undefined;
}

/** The floating-point operations of those of some nodes that are pointwise. */
export const pointwiseFlops = (nodes: readonly Tensor[]): number =>
  nodes.reduce((sum, node) => sum + node.size * (pointwiseKernel(node)?.flops(node) ?? 0), 0);

export function anchorKernel(node: Tensor): AnchorKernel | undefined {
  if (!isComputed(node)) return undefined;
  const kernel = kernelOf(node.op);
  return kernel.kind === "anchor" ? kernel : undefined;
}

export function atomicKernel(result: Tensor): AtomicKernel | undefined {
  const kernel = kernelOf(result.op);
  return kernel.kind === "atomic" ? kernel : undefined;
}
