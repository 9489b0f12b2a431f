import type { Tensor } from "../../graph/tensor.ts";
import { ElementCode, type ElementScope } from "./element.ts";
import { nodesOf, type Group } from "../../compiler/fuse.ts";
import { OWN_PLACE } from "./launch.ts";
import type { Plan } from "../../compiler/plan.ts";

/** Shorter chains are faster with one element per thread. */
const FEWEST_ELEMENTS = 4096;

/** Whether a tensor is a single element of four bytes, which all threads of a kernel without an anchor read. */
export const isShared = ({ size, dtype }: Tensor): boolean => size === 1 && dtype !== "uint8";

/**
 * Whether the threads of a kernel of pointwise nodes can compute four elements each (vec4): everything that it reads and writes
 * in memory must be float32 and accessed at the computed element, or be a single element. Optimizers over packed vectors
 * satisfy this.
 */
export function usesVec4(group: Group, { fusion }: Plan): boolean {
  const nodes = nodesOf(group);
  const { size } = nodes[0]!;
  if (size % 4 !== 0 || size < FEWEST_ELEMENTS || group.outputs.some(({ dtype }) => dtype !== "float32")) return false;
  let readsOwn = true;
  const scope: ElementScope = {
    inlined: fusion.inlined,
    load(tensor: Tensor, index: string) {
      readsOwn &&= isShared(tensor) || (tensor.dtype === "float32" && index === OWN_PLACE.index);
      return "";
    },
    loadVec4: () => "",
    scalar: () => "",
    zero: () => "",
    argument: () => "",
    useLibrary() {},
  };
  const code = new ElementCode(scope);
  for (const node of nodes) code.compute(node, OWN_PLACE);
  return readsOwn;
}
