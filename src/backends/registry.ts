import { GraphError } from "../errors.ts";
import type { Op } from "../graph/tensor.ts";

/**
 * Collects the `kernels` that the folders in src/ops export for one backend.
 * @param modules the exports by path of the file
 */
/* @__NO_SIDE_EFFECTS__ */
export function collectKernels<Kernel>(
  modules: Record<string, { kernels: Record<string, Kernel> }>,
): ReadonlyMap<string, Kernel> {
  return new Map(Object.values(modules).flatMap(({ kernels }) => Object.entries(kernels)));
}

/** @throws GraphError that names the op and the file that should export its kernel */
export function findKernel<Kernel>(kernels: ReadonlyMap<string, Kernel>, op: Op, file: string): Kernel {
  const kernel = kernels.get(op.kernel ?? op.name);
  if (!kernel) {
    throw new GraphError({
      where: op.name,
      what: `unknown kernel "${op.kernel ?? op.name}"`,
      fix: `Export it from ${file} in the op's folder under src/ops`,
    });
  }
  return kernel;
}
