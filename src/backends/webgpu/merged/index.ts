/*
 * Small kernels that follow each other share a dispatch: one workgroup runs them, with a barrier between two of them. On an H100, a
 * dispatch that computes almost nothing takes 8 to 9 µs, which is most of the step of a small network. The bits do not change.
 */
import type { Plan } from "../../../compiler/plan.ts";
import { wholeBuffer } from "../../../compiler/regions.ts";
import { GROUP_THREADS } from "../../../ops/webgpu/lanes.ts";
import { dispatchText, KernelWriter, sharedDeclarations } from "../kernel-writer.ts";
import type { Launch, StepContext } from "../launch.ts";
import type { SmallKernel } from "./dispatches.ts";
import { entryPoint, kernelFunctions } from "./text.ts";
import { WholeBuffers } from "./whole-buffers.ts";

export { mergedPlan } from "./dispatches.ts";

/** Writes the launch of kernels that share a dispatch. */
export function mergedLaunch(kernels: readonly SmallKernel[], plan: Plan, context: StepContext): Launch {
  const { scalars, limits } = context;
  const atomicTrace = kernels.some(({ group }) => group.atomics.length > 0);
  const dispatch = dispatchText(atomicTrace, new WholeBuffers());
  const parts = wholeBuffer("results of parts", 0);
  const written = kernels.map(({ group, launch }, position) => {
    const writer = new KernelWriter({ ...context, plan, group, launch, parts }, dispatch);
    return { ...kernelFunctions(writer.text(), position), described: writer.describe() };
  });
  const described = written.map((kernel) => kernel.described);
  const kernel = described.map((one) => one.kernel).join("; ");
  const code = [
    ...sharedDeclarations(dispatch, scalars.length),
    ...written.map(({ text }) => text),
    entryPoint(
      written.map(({ call }) => call),
      GROUP_THREADS,
    ),
  ].join("\n");
  return {
    kernel,
    shapes: described.map(({ shapes }) => shapes).join("; "),
    float16: false,
    flops: described.reduce((sum, { flops }) => sum + flops, 0),
    bytes: described.reduce((sum, { bytes }) => sum + bytes, 0),
    code,
    grid: [1, 1, 1],
    bindings: dispatch.memory.bindings(kernel, limits.bindingElements),
    arguments: dispatch.arguments.values,
  };
}
