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

/**
 * The functions of one operand for a tensor with itself. Drivers simplify x / x to 1 (NVIDIA's) and x - x to 0 (lavapipe),
 * even where x is NaN or infinite.
 */
const ofItself: Readonly<Record<string, string>> = { subtract: "subtract_from_itself", divide: "divide_by_itself" };

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
    const operands = inputs.map((value) => value.here());
    const own = operands[0] === operands[1] ? ofItself[wgsl] : undefined;
    if (own !== undefined) return `${own}(${operands[0]})`;
    return `${wgsl}(${[...operands, ...parameters.map(float)].join(", ")})`;
  },
};

export const kernels = { elementwise };
