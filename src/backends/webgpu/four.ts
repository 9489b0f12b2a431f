import type { Tensor } from "../../graph/tensor.ts";
import { ElementCode, type ElementScope } from "./element.ts";
import { nodesOf, type Group } from "../../compiler/fuse.ts";
import { OWN_PLACE } from "./launch.ts";
import type { Plan } from "../../compiler/plan.ts";

/** Shorter chains are over sooner with an element a thread. */
const FEWEST_ELEMENTS = 4096;

/** Whether all elements that a kernel of this kind computes read the same one of a tensor. */
export const isShared = ({ size, dtype }: Tensor): boolean => size === 1 && dtype !== "uint8";

/**
 * Whether a kernel of pointwise nodes may take four elements at a time: whether all that it reads and writes in memory
 * is float32 and read at the element that is computed, so that four neighbours are one vector, or a single element. So it
 * is with an optimizer over packed vectors.
 */
export function takesFour(group: Group, { fusion }: Plan): boolean {
  const nodes = nodesOf(group);
  const { size } = nodes[0]!;
  if (size % 4 !== 0 || size < FEWEST_ELEMENTS || group.outputs.some(({ dtype }) => dtype !== "float32")) return false;
  let own = true;
  const scope: ElementScope = {
    inlined: fusion.inlined,
    load(tensor: Tensor, index: string) {
      own &&= isShared(tensor) || (tensor.dtype === "float32" && index === OWN_PLACE.index);
      return "";
    },
    scalar: () => "",
    zero: () => "",
    useLibrary() {},
  };
  const code = new ElementCode(scope);
  for (const node of nodes) code.compute(node, OWN_PLACE);
  return own;
}
