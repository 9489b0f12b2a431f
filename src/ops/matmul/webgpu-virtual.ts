/*
 * Operands that are not stored as matrices, such as the windows of images: what they read from memory limits the parts of
 * a product, not their own size.
 */
import type { Tensor } from "../../graph/tensor.ts";
import type { ElementRange, PointwiseTraits } from "../../graph/traits.ts";
import { productOf } from "./index.ts";

/** An operand whose elements the kernel computes from those of a smaller tensor in memory. */
interface VirtualOperand {
  readonly node: Tensor;
  readonly rangeRead: NonNullable<PointwiseTraits["rangeRead"]>;
}

/** An operand of a product if it is virtual and known to read its elements in order. */
export function virtualOf(product: Tensor, side: "left" | "right" | "output"): VirtualOperand | undefined {
  const node = side === "output" ? undefined : productOf(product).virtual?.[side];
  const traits = node?.op.traits;
  if (traits?.kind !== "pointwise" || !traits.rangeRead) return undefined;
  return { node: node!, rangeRead: traits.rangeRead };
}

/** The number of elements in memory that a range of the operand reads. */
export function elementsRead({ node, rangeRead }: VirtualOperand, range: ElementRange): number {
  const { start, end } = rangeRead(node, range);
  return end - start;
}

/**
 * The largest number of rows, in the fewest parts, such that each part of every matrix of the operand reads at most `reach`
 * elements of memory. If a single row reads more, all rows: the launch is refused for what it binds.
 */
export function largestVirtualPart(operand: VirtualOperand, rows: number, width: number, reach: number): number {
  const { node } = operand;
  if (node.inputs[0]!.size <= reach || elementsRead(operand, { start: 0, end: width }) > reach) return rows;
  const fits = (most: number) => {
    for (let matrix = 0; matrix < node.size; matrix += rows * width) {
      for (let first = 0; first < rows; first += most) {
        const last = Math.min(rows, first + most);
        if (elementsRead(operand, { start: matrix + first * width, end: matrix + last * width }) > reach) return false;
      }
    }
    return true;
  };
  let parts = 1;
  while (!fits(Math.ceil(rows / parts))) parts++;
  return Math.ceil(rows / parts);
}
