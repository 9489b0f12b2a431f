import { alignedBefore } from "../../alignment.ts";
import { nodesOf, type Group } from "../../compiler/fuse.ts";
import { rangeAround, RangesOf, wholeOf } from "../../compiler/ranges.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { ElementRange } from "../../graph/traits.ts";
import type { AnchorLaunch } from "../../ops/kernel.ts";

/**
 * The elements of a tensor in memory that a launch of a group accesses, from an aligned one on; undefined if that is not
 * known. Tensors of the output's size are accessed in the output's range.
 * @param stored the tensors that the launch writes
 */
export function rangeInLaunch(
  tensor: Tensor,
  { group, launch, stored }: { group: Group; launch: AnchorLaunch; stored: readonly Tensor[] },
  inlined: ReadonlySet<Tensor>,
): ElementRange | undefined {
  // Bytes are addressed by the rows of the whole tensor.
  if (tensor.dtype === "uint8") return undefined;
  const { size } = nodesOf(group)[0]!;
  const own = (node: Tensor) => (node.size === size && launch.outputRange) || wholeOf(node);
  const ranges = new RangesOf(tensor, inlined);
  const range = rangeAround([
    ...Object.entries(launch.reads).map(([name, read]) =>
      ranges.readBy(read, launch.readRanges?.[name] ?? wholeOf(read)),
    ),
    ...group.members.flatMap(({ chain }) => chain.map((node) => ranges.readByNode(node, own(node)))),
    ...(stored.includes(tensor) ? [own(tensor)] : []),
  ]);
  return range && { start: alignedBefore(range.start), end: range.end };
}
