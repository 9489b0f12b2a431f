import type { Tensor } from "../../graph/tensor.ts";
import { rootOf } from "../../graph/views.ts";
import type { WasmOperand, WasmPointwiseKernel } from "../../ops/wasm-kernel.ts";
import { fillFunction, type ChainFunction } from "./functions/index.ts";
import { pointwiseKernel } from "./kernels.ts";
import { isGenerated, ReferenceLoops } from "./reference.ts";
import type { Places, Temporary } from "./step.ts";

/** The source of an anchor's operand: memory, a generated function, a kernel of its op, or reference loops. */
export interface Operand {
  readonly generated?: ChainFunction;
  readonly loops?: ReferenceLoops;
  /** The operand before addresses are known. */
  readonly placeholder: WasmOperand;
  /** Resolves the addresses. */
  bind(places: Places): WasmOperand;
}

/** A placeholder for an address that is not known yet. */
export const SOMEWHERE = 64;

export function operandOf(input: Tensor, inlined: ReadonlySet<Tensor>): Operand {
  const root = rootOf(input);
  if (!inlined.has(root)) return storedOperand(root);
  const fill = pointwiseKernel(root)?.fill;
  if (fill && !root.inputs.some((read) => inlined.has(rootOf(read)))) return filledOperand(root, fill);
  if (isGenerated(root, inlined)) return generatedOperand(fillFunction(root, inlined));
  const loops = new ReferenceLoops([root], inlined);
  return { ...storedOperand(loops.temporaryOf(root)), loops };
}

/** The argument block of a generated function. */
export const chainArguments = ({ tensors }: ChainFunction, places: Places): number =>
  places.argumentBlock(tensors.map((tensor) => places.addressOf(tensor)));

function storedOperand(stored: Tensor | Temporary): Operand {
  const at = (address: number) => ({ address, fill: 0, fillRows: 0, fillArguments: 0 });
  return { placeholder: at(SOMEWHERE), bind: (places) => at(places.addressOf(stored)) };
}

function generatedOperand(generated: ChainFunction): Operand {
  const by = (fill: number, fillArguments: number) => ({ address: 0, fill, fillRows: 0, fillArguments });
  return {
    generated,
    placeholder: by(1, SOMEWHERE),
    bind: (places) => by(places.indexOf(generated), chainArguments(generated, places)),
  };
}

function filledOperand(root: Tensor, fill: NonNullable<WasmPointwiseKernel["fill"]>): Operand {
  return {
    placeholder: { address: 0, fill: 1, fillRows: 1, fillArguments: SOMEWHERE },
    bind(places) {
      const addresses = root.inputs.map((input) => places.addressOf(rootOf(input)));
      const { elements, rows, arguments: words } = fill(root, addresses);
      return {
        address: 0,
        fill: places.kernelIndex(elements),
        fillRows: places.kernelIndex(rows),
        fillArguments: places.argumentBlock(words),
      };
    },
  };
}
