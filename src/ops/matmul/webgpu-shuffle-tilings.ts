/*
 * The tilings of shaders/matmul_shuffle.wgsl, for GPUs whose subgroups have one size.
 */
import type { LaunchLimits } from "../kernel.ts";
import type { MatmulAttributes } from "./index.ts";
import { innerParts } from "./webgpu-inner-parts.ts";
import type { TileSizes } from "./webgpu-tilings.ts";

/** A tiling whose lanes share the left operand by shuffles. */
export interface ShuffleTiling extends TileSizes {
  readonly kernel: "shuffles";
  readonly constants: {
    readonly LANES: number;
    readonly THREAD_ROWS: number;
    readonly THREAD_COLUMNS: number;
    readonly PART_SUBGROUPS: number;
  };
}

/** The subgroup sizes that the kernel supports. */
const SUBGROUP_SIZES = [16, 32, 64];

/** Rows and columns of outputs per lane, and subgroups of a part. None has been measured on a GPU. */
const SIZES = [
  [8, 8, 4],
  [16, 8, 2],
  [16, 4, 4],
  [8, 8, 1],
  [8, 4, 4],
  [16, 4, 1],
  [4, 4, 4],
  [8, 4, 1],
  [8, 2, 1],
  [4, 4, 1],
  [8, 1, 4],
  [8, 1, 1],
  [4, 1, 1],
] as const;

/** A tiling with its name. */
function byShuffles(
  lanes: number,
  [threadRows, threadColumns, subgroups]: (typeof SIZES)[number],
): readonly [string, ShuffleTiling] {
  const [tileRows, tileColumns] = [subgroups * threadRows, lanes * threadColumns];
  const constants = {
    LANES: lanes,
    THREAD_ROWS: threadRows,
    THREAD_COLUMNS: threadColumns,
    PART_SUBGROUPS: subgroups,
  };
  const name = `tile ${tileRows}×${tileColumns}, ${threadRows}×${threadColumns} outputs, shuffles`;
  return [name, { kernel: "shuffles", constants, tileRows, tileColumns }];
}

/** Whether a device's subgroups have one of the sizes that the kernel supports. */
export const canShuffle = ({ software, subgroupSize }: LaunchLimits): boolean =>
  !software && subgroupSize !== undefined && SUBGROUP_SIZES.includes(subgroupSize);

/** Bytes of one row of outputs of each subgroup, for all parts of a workgroup. */
export const stripRowBytes = ({ constants }: ShuffleTiling, parts: number): number =>
  4 * parts * constants.PART_SUBGROUPS * constants.LANES * constants.THREAD_COLUMNS;

/** The tilings that a device can run for a product, by name: none if its subgroups have another size, or several. */
export function shuffleTilings(attributes: MatmulAttributes, limits: LaunchLimits): Record<string, ShuffleTiling> {
  if (!canShuffle(limits)) return {};
  const { count } = innerParts(attributes, limits);
  const fits = ([, tiling]: readonly [string, ShuffleTiling]) =>
    count * tiling.constants.PART_SUBGROUPS * tiling.constants.LANES <= limits.workgroupThreads &&
    stripRowBytes(tiling, count) <= limits.workgroupBytes;
  return Object.fromEntries(SIZES.map((sizes) => byShuffles(limits.subgroupSize!, sizes)).filter(fits));
}
