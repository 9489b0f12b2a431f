import type { Tensor } from "../../graph/tensor.ts";
import { rootOf } from "../../graph/views.ts";
import type { WasmOperand } from "../../ops/wasm-kernel.ts";
import { fillFunction, type ChainFunction } from "./functions/index.ts";
import { pointwiseKernel } from "./kernels.ts";
import { chainArguments, type Places } from "./places.ts";

/** How an anchor reads an input. */
export interface Operand {
  /** The input, views resolved. */
  readonly tensor: Tensor;
  readonly isComputed: boolean;
  /** The function that was generated to compute it. */
  readonly generated: ChainFunction | undefined;
  /** Fixes the addresses. */
  bind(places: Places): WasmOperand;
}

const IN_MEMORY = { fill: 0, fillRows: 0, fillArguments: 0 };

export function operandOf(input: Tensor, inlined: ReadonlySet<Tensor>): Operand {
  const tensor = rootOf(input);
  if (!inlined.has(tensor)) {
    const bind = (places: Places) => ({ address: places.addressOf(tensor), ...IN_MEMORY });
    return { tensor, isComputed: false, generated: undefined, bind };
  }
  const { fill } = pointwiseKernel(tensor);
  if (fill && !tensor.inputs.some((read) => inlined.has(rootOf(read)))) {
    return { tensor, isComputed: true, generated: undefined, bind: (places) => filledBy(fill, tensor, places) };
  }
  const generated = fillFunction(tensor, inlined);
  return {
    tensor,
    isComputed: true,
    generated,
    bind: (places) => ({
      address: 0,
      fill: places.indexOf(generated),
      fillRows: 0,
      fillArguments: chainArguments(generated, places),
    }),
  };
}

type Fill = NonNullable<ReturnType<typeof pointwiseKernel>["fill"]>;

function filledBy(fill: Fill, tensor: Tensor, places: Places): WasmOperand {
  const made = fill(
    tensor,
    tensor.inputs.map((input) => places.addressOf(rootOf(input))),
  );
  return {
    address: 0,
    fill: places.kernelIndex(made.elements),
    fillRows: places.kernelIndex(made.rows),
    fillArguments: places.argumentBlock(made.arguments),
  };
}
