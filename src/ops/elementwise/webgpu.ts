import activations from "../../../shaders/activations.wgsl?raw";
import functions from "../../../shaders/functions.wgsl?raw";
import arithmetic from "../../../shaders/elementwise.wgsl?raw";
import numbers from "../../../shaders/numbers.wgsl?raw";
import { GraphError } from "../../errors.ts";
import type { PointwiseKernel } from "../kernel.ts";
import type { ElementwiseAttributes, ElementwiseOp } from "./function.ts";

const library = arithmetic + activations;

/** Whether shaders/functions.wgsl has a function, which only kernels that call it hold. */
const isOfFunctions = (name: string) => functions.includes(`fn ${name}(`);

const elementwise: PointwiseKernel = {
  kind: "pointwise",
  library,
  ownLibrary(node) {
    const { source, wgsl } = (node.op as ElementwiseOp).row;
    if (source === undefined) return isOfFunctions(wgsl) ? functions : undefined;
    const taken = Array.from(source.matchAll(/\bfn\s+(\w+)/g), ([, name]) => name!).find((name) =>
      `${numbers}${library}${functions}`.includes(`fn ${name}(`),
    );
    if (taken === undefined) return source;
    throw new GraphError({
      where: node.op.name,
      what: `the name "${taken}" is already used by a WGSL function of wgrad`,
      fix: "Choose another name",
    });
  },
  flops: (node) => (node.op as ElementwiseOp).row.flops ?? 1,
  expression(node, inputs, _, { float }) {
    const { wgsl } = (node.op as ElementwiseOp).row;
    const { parameters } = node.attributes as ElementwiseAttributes;
    return `${wgsl}(${[...inputs.map((value) => value.here()), ...parameters.map(float)].join(", ")})`;
  },
};

export const kernels = { elementwise };
