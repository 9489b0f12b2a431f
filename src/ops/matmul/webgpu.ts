import { ALIGNMENT } from "../../alignment.ts";
import { sizeOf, type Tensor } from "../../graph/tensor.ts";
import type { ElementRange } from "../../graph/traits.ts";
import type { AnchorKernel, AnchorLaunch, LaunchLimits } from "../kernel.ts";
import { batchCount, matrixOf } from "./batches.ts";
import { productOf, type MatmulAttributes } from "./index.ts";
import { innerParts } from "./webgpu-inner-parts.ts";
import { loadProductKernels, productKernel, type Axis, type Part } from "./webgpu-kernels.ts";
import { chooseTiling, matrixTiling, type Tiling } from "./webgpu-tilings.ts";
import { elementsRead, largestVirtualPart, virtualOf } from "./webgpu-virtual.ts";

/** Splits 0 … size into parts of at most `most`. */
function parts(size: number, most: number): Part[] {
  return Array.from({ length: Math.ceil(size / most) }, (_, part) => ({
    first: part * most,
    last: Math.min(size, (part + 1) * most),
  }));
}

type Side = "left" | "right" | "output";

/** For both operands and the output, the axes along and across the rows in memory. */
function storedAxes({
  transposeLeft,
  transposeRight,
}: MatmulAttributes): Record<"left" | "right" | "output", [Axis, Axis]> {
  return {
    left: transposeLeft ? ["inner", "rows"] : ["rows", "inner"],
    right: transposeRight ? ["columns", "inner"] : ["inner", "columns"],
    output: ["rows", "columns"],
  };
}

/** The largest part of each axis for which all three matrices fit into one binding. */
function largestParts(
  product: Tensor,
  { bindingElements, gridSize }: LaunchLimits,
  tiling: Tiling,
): Record<Axis, number> {
  const attributes = product.attributes as MatmulAttributes;
  const { rows, inner, columns } = attributes;
  const most = {
    rows: Math.min(rows, gridSize * tiling.tileRows),
    inner,
    columns: Math.min(columns, gridSize * tiling.tileColumns),
  };
  // A binding is aligned, so it may start before the part.
  const reach = bindingElements - (ALIGNMENT - 1);
  for (const [side, [along, across]] of Object.entries(storedAxes(attributes))) {
    const virtual = virtualOf(product, side as Side);
    if (virtual)
      most[along] = Math.min(most[along], largestVirtualPart(virtual, attributes[along], attributes[across], reach));
    if (virtual || attributes[along] * attributes[across] <= bindingElements) continue;
    most[along] = Math.min(most[along], Math.max(1, Math.floor(reach / attributes[across])));
    if (attributes[across] > reach) most[across] = Math.min(most[across], reach);
  }
  return most;
}

/** The range of a part of a matrix in memory: whole rows, or a part of one row if a row is longer than a binding. */
function storedRange(along: Part, across: Part, width: number): ElementRange {
  const single = along.last - along.first === 1;
  return {
    start: along.first * width + (single ? across.first : 0),
    end: single ? along.first * width + across.last : along.last * width,
  };
}

/** The batches of one launch, and the parts of their products. */
interface LaunchParts extends Record<Axis, Part> {
  readonly batches: Part;
}

function launches(members: readonly Tensor[], limits: LaunchLimits): AnchorLaunch[] {
  const attributes = members[0]!.attributes as MatmulAttributes;
  const tiling = chooseTiling(productOf(members[0]!), limits);
  const most = largestParts(members[0]!, limits, tiling);
  return parts(batchCount(attributes.batch), mostBatches(members[0]!, limits, most)).flatMap((batches) =>
    parts(attributes.rows, most.rows).flatMap((rows) =>
      parts(attributes.columns, most.columns).flatMap((columns) =>
        parts(attributes.inner, most.inner).map((inner) =>
          launch(members, tiling, limits, { batches, rows, inner, columns }),
        ),
      ),
    ),
  );
}

/**
 * The number of batches of one launch, limited by the depth of the grid and by the matrices that fit in one binding. It
 * is 1 if matrices are split.
 */
function mostBatches(product: Tensor, limits: LaunchLimits, most: Record<Axis, number>): number {
  const attributes = product.attributes as MatmulAttributes;
  const count = batchCount(attributes.batch);
  if (!isWhole(attributes, most)) return 1;
  const reach = limits.bindingElements - (ALIGNMENT - 1);
  const largestOf = (batches: Part) => Math.max(...sideElements(product, batches));
  if (count === 1 || largestOf({ first: 0, last: count }) <= reach) return Math.min(count, limits.gridSize);
  const largest = Math.max(...Array.from({ length: count }, (_, first) => largestOf({ first, last: first + 1 })));
  return Math.min(count, limits.gridSize, Math.max(1, Math.floor(reach / largest)));
}

const isWhole = (attributes: MatmulAttributes, most: Record<Axis, number>) =>
  (["rows", "inner", "columns"] as const).every((axis) => most[axis] >= attributes[axis]);

/** The range of matrices of one operand that some batches use. */
function matricesOf({ batch }: MatmulAttributes, side: Side, { first, last }: Part): Part {
  if (!batch || side === "output") return { first, last };
  const used = Array.from({ length: last - first }, (_, at) => matrixOf(first + at, batch.sizes, batch[side]));
  return { first: Math.min(...used), last: Math.max(...used) + 1 };
}

/** The number of elements in memory of each operand and of the output that some batches use. */
function sideElements(product: Tensor, batches: Part): number[] {
  const attributes = product.attributes as MatmulAttributes;
  return Object.entries(storedAxes(attributes)).map(([side, [along, across]]) => {
    const { first, last } = matricesOf(attributes, side as Side, batches);
    const size = attributes[along] * attributes[across];
    const virtual = virtualOf(product, side as Side);
    return virtual ? elementsRead(virtual, { start: first * size, end: last * size }) : (last - first) * size;
  });
}

/** The WGSL functions that return the matrix of each operand for a batch. */
function matrixFunctions({ batch }: MatmulAttributes): string {
  const text = (side: "left" | "right") => {
    const terms = batch?.sizes.flatMap((size, axis) => {
      const after = sizeOf(batch.sizes.slice(axis + 1));
      const stride = batch[side][axis]!;
      return stride === 0 ? [] : [`batch / ${after}u % ${size}u * ${stride}u`];
    });
    return `fn ${side}_matrix(batch: u32) -> u32 {\n    return ${terms?.join(" + ") || "0u"};\n}\n`;
  };
  return text("left") + text("right");
}

function launch(members: readonly Tensor[], tiling: Tiling, limits: LaunchLimits, part: LaunchParts): AnchorLaunch {
  const product = members[0]!;
  const attributes = product.attributes as MatmulAttributes;
  const { rows, inner, columns, transposeLeft, transposeRight, precision } = attributes;
  const size = (axis: keyof LaunchParts) => part[axis].last - part[axis].first;
  const axes = storedAxes(attributes);
  const range = (side: Side): ElementRange => {
    const [along, across] = axes[side];
    const { start, end } = storedRange(part[along], part[across], attributes[across]);
    const { first, last } = matricesOf(attributes, side, part.batches);
    const matrix = attributes[along] * attributes[across];
    return { start: first * matrix + start, end: (last - 1) * matrix + end };
  };
  const accumulates = part.inner.first > 0;
  const sumsColumns = members.length > 1;
  const kernel = productKernel({
    attributes,
    tiling,
    part,
    // Where launches divide the inner axis, no launch divides it again.
    innerParts: size("inner") < inner ? { count: 1, length: inner } : innerParts(attributes, limits),
    accumulates,
    sumsColumns,
  });
  return {
    ...kernel,
    source: matrixFunctions(attributes) + kernel.source,
    subgroups: tiling.kernel === "subgroups",
    subgroupMatrices: tiling.kernel === "matrices",
    float16: precision === "float16",
    reads: { left: product.inputs[0]!, right: product.inputs[1]! },
    readsByRow: true,
    finishes: ["finish", "finish_column_sum"],
    constants: {
      ROWS: rows,
      COLUMNS: columns,
      INNER: inner,
      FIRST_ROW: part.rows.first,
      LAST_ROW: part.rows.last,
      FIRST_COLUMN: part.columns.first,
      LAST_COLUMN: part.columns.last,
      FIRST_INNER: part.inner.first,
      LAST_INNER: part.inner.last,
      FIRST_BATCH: part.batches.first,
      BATCHES: size("batches"),
      TRANSPOSE_LEFT: String(transposeLeft),
      TRANSPOSE_RIGHT: String(transposeRight),
      ...kernel.constants,
      ACCUMULATE: String(accumulates),
      COLUMN_SUMS: String(sumsColumns),
    },
    grid: [Math.ceil(size("columns") / tiling.tileColumns), Math.ceil(size("rows") / tiling.tileRows), size("batches")],
    flops: (2 * size("rows") + Number(sumsColumns)) * size("columns") * size("inner") * size("batches"),
    readRanges: { left: range("left"), right: range("right") },
    outputRange: range("output"),
    accumulates,
    partial: part.inner.last < inner,
  };
}

/** Whether one launch computes the whole product. */
function isOneLaunch(members: readonly Tensor[], limits: LaunchLimits): boolean {
  const attributes = members[0]!.attributes as MatmulAttributes;
  const most = largestParts(members[0]!, limits, chooseTiling(productOf(members[0]!), limits));
  return isWhole(attributes, most) && mostBatches(members[0]!, limits, most) === batchCount(attributes.batch);
}

const matmul: AnchorKernel = {
  kind: "anchor",
  load: loadProductKernels,
  // The kernel with subgroup matrices has no values of the right operand to sum.
  canFuse: (members, limits) => !matrixTiling(productOf(members[0]!), limits) && isOneLaunch(members, limits),
  launches,
};

export const kernels = { matmul };
