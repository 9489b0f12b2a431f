import type { WasmPointwiseKernel } from "../wasm-kernel.ts";
import { bits, type Vector } from "../wasm/vectors.ts";
import type { ElementwiseAttributes, ElementwiseFunction, ElementwiseOp } from "./function.ts";
import { vectorForms } from "./wasm-forms.ts";

/** Functions whose WGSL is part of wgrad have a vector form. Custom functions are called once per element. */
function vectorForm({ wgsl, source }: ElementwiseFunction) {
  const isOwn = source === undefined || !new RegExp(`\\bfn\\s+${wgsl}\\b`).test(source);
  return isOwn && Object.hasOwn(vectorForms, wgsl) ? vectorForms[wgsl] : undefined;
}

const elementwise: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: (node) => (node.op as ElementwiseOp).row.flops ?? 1,
  vector(node, inputs) {
    const { row } = node.op as ElementwiseOp;
    const { parameters } = node.attributes as ElementwiseAttributes;
    const takesIntegers = row.takes === "uint32";
    const given = inputs.map((input): Vector => {
      if (!takesIntegers) return input.here();
      const index = input.integerHere();
      return index.kind === "constant" ? bits(index.value) : { kind: "integers", index };
    });
    const form = vectorForm(row);
    return form?.(given, parameters) ?? { kind: "host", compute: row.cpu, inputs: given, takesIntegers, parameters };
  },
};

export const kernels = { elementwise };
