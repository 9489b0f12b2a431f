/*
 * The kernel of a product in one workgroup, which can share a dispatch with other kernels.
 */
import elements from "../../../shaders/matmul_elements.wgsl?raw";
import outputs from "../../../shaders/matmul_outputs.wgsl?raw";
import type { AnchorLaunch, LaunchLimits } from "../kernel.ts";
import { GROUP_THREADS } from "../webgpu/lanes.ts";
import { batchCount } from "./batches.ts";
import type { MatmulAttributes } from "./index.ts";
import { innerParts } from "./webgpu-inner-parts.ts";

/** Its WGSL, but for the functions that find a matrix, and its constants. */
export function outputsKernel(
  attributes: MatmulAttributes,
  sumsColumns: boolean,
  limits: LaunchLimits,
): Pick<AnchorLaunch, "source" | "constants"> {
  const { rows, inner, columns, transposeLeft, transposeRight, batch } = attributes;
  const { count, length } = innerParts(attributes, limits);
  const constants = {
    ROWS: rows,
    COLUMNS: columns,
    INNER: inner,
    LAST_ROW: rows,
    LAST_COLUMN: columns,
    BATCHES: batchCount(batch),
    TRANSPOSE_LEFT: String(transposeLeft),
    TRANSPOSE_RIGHT: String(transposeRight),
    PARTS: count,
    PART_INNER: length,
    GROUP_THREADS,
    COLUMN_SUMS: String(sumsColumns),
  };
  return { source: elements + outputs, constants };
}
