import { isComputed } from "../../compiler/nodes.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { CpuKernel } from "../../ops/kernel.ts";
import type { WasmAnchorKernel, WasmKernel, WasmPointwiseKernel } from "../../ops/wasm-kernel.ts";
import { collectKernels, findKernel } from "../registry.ts";

const kernels = collectKernels<WasmKernel>(import.meta.glob("../../ops/*/wasm.ts", { eager: true }));
const referenceKernels = collectKernels<CpuKernel>(import.meta.glob("../../ops/*/cpu.ts", { eager: true }));

const kernelOf = ({ op }: Tensor): WasmKernel | undefined => kernels.get(op.kernel ?? op.name);

export function pointwiseKernel(node: Tensor): WasmPointwiseKernel | undefined {
  const kernel = isComputed(node) ? kernelOf(node) : undefined;
  return kernel?.kind === "pointwise" ? kernel : undefined;
}

/** @returns undefined if the op runs its reference loop */
export function anchorKernel(node: Tensor): WasmAnchorKernel | undefined {
  const kernel = kernelOf(node);
  return kernel?.kind === "anchor" ? kernel : undefined;
}

/** The reference loop of an op. */
export const referenceKernel = (node: Tensor): CpuKernel => findKernel(referenceKernels, node.op, "cpu.ts");

/** Ops of wgrad without a WebAssembly function. */
export const referenceOps = (): string[] => [...referenceKernels.keys()].filter((name) => !kernels.has(name));
