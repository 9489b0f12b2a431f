import { GraphError } from "../../errors.ts";
import type { OpPlace } from "../forms.ts";

/**
 * The sizes to which axes are repeated.
 * @param kept stands for an axis whose size depends on the number of examples, in the operand too
 * @throws GraphError for an axis that is repeated for each example
 */
export function expandedSizes({ inputs: [from], shape }: OpPlace, kept: number): number[] {
  return shape.map((size, axis) => {
    if (typeof size === "number") return size;
    if (typeof from![axis - shape.length + from!.length] === "object") return kept;
    throw new GraphError({
      where: "broadcastTo",
      what: "it repeats a value for each example, whose number the exported model does not know",
      fix: "Leave it out where elementwise ops follow: they repeat operands by themselves",
    });
  });
}
