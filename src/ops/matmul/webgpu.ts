import { ALIGNMENT } from "../../alignment.ts";
import { sizeOf, type Tensor } from "../../graph/tensor.ts";
import type { ElementRange } from "../../graph/traits.ts";
import { rootOf } from "../../graph/views.ts";
import type { AnchorKernel, AnchorLaunch, LaunchLimits } from "../kernel.ts";
import { partsOf, type Part } from "../webgpu/parts.ts";
import { batchCount, matrixOf } from "./batches.ts";
import { productOf, type MatmulAttributes } from "./index.ts";
import { innerParts } from "./webgpu-inner-parts.ts";
import { kernelInOneGroup, loadProductKernel, productKernel, type Axis } from "./webgpu-kernels.ts";
import { chooseTiling, type Tiling } from "./webgpu-tilings.ts";
import { elementsRead, largestVirtualPart, virtualOf } from "./webgpu-virtual.ts";

/** The tilings of the products of a compilation, by its limits. */
const chosenTilings = new WeakMap<LaunchLimits, Map<Tensor, Tiling>>();

/** The tiling of a product. It is chosen once in a compilation, so that the kernel that was loaded is the one that is written. */
function tilingOf(product: Tensor, limits: LaunchLimits): Tiling {
  const tilings = chosenTilings.get(limits) ?? new Map<Tensor, Tiling>();
  chosenTilings.set(limits, tilings);
  const tiling = tilings.get(product) ?? chooseTiling(productOf(product), limits);
  tilings.set(product, tiling);
  return tiling;
}

type Side = "left" | "right" | "output";

/** For both operands and the output, the axes along and across the rows in memory. */
function storedAxes({ transposeLeft, transposeRight }: MatmulAttributes): Record<Side, [Axis, Axis]> {
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
  const single = along.end - along.start === 1;
  return {
    start: along.start * width + (single ? across.start : 0),
    end: single ? along.start * width + across.end : along.end * width,
  };
}

/** The batches of one launch, and the parts of their products. */
interface LaunchParts extends Record<Axis, Part> {
  readonly batches: Part;
}

function launches(members: readonly Tensor[], limits: LaunchLimits): AnchorLaunch[] {
  const attributes = members[0]!.attributes as MatmulAttributes;
  const tiling = tilingOf(members[0]!, limits);
  const most = largestParts(members[0]!, limits, tiling);
  return partsOf(batchCount(attributes.batch), mostBatches(members[0]!, limits, most)).flatMap((batches) =>
    partsOf(attributes.rows, most.rows).flatMap((rows) =>
      partsOf(attributes.columns, most.columns).flatMap((columns) =>
        partsOf(attributes.inner, most.inner).map((inner) =>
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
  if (count === 1 || largestOf({ start: 0, end: count }) <= reach) return Math.min(count, limits.gridSize);
  const largest = Math.max(...partsOf(count, 1).map(largestOf));
  return Math.min(count, limits.gridSize, Math.max(1, Math.floor(reach / largest)));
}

const isWhole = (attributes: MatmulAttributes, most: Record<Axis, number>) =>
  (["rows", "inner", "columns"] as const).every((axis) => most[axis] >= attributes[axis]);

/** The range of matrices of one operand that some batches use. */
function matricesOf({ batch }: MatmulAttributes, side: Side, batches: Part): Part {
  if (!batch || side === "output") return batches;
  const used = Array.from({ length: batches.end - batches.start }, (_, at) =>
    matrixOf(batches.start + at, batch.sizes, batch[side]),
  );
  return { start: Math.min(...used), end: Math.max(...used) + 1 };
}

/** The number of elements in memory of each operand and of the output that some batches use. */
function sideElements(product: Tensor, batches: Part): number[] {
  const attributes = product.attributes as MatmulAttributes;
  return Object.entries(storedAxes(attributes)).map(([side, [along, across]]) => {
    const { start, end } = matricesOf(attributes, side as Side, batches);
    const size = attributes[along] * attributes[across];
    const virtual = virtualOf(product, side as Side);
    return virtual ? elementsRead(virtual, { start: start * size, end: end * size }) : (end - start) * size;
  });
}

/** The elements of an operand or of the output that a launch accesses. */
function accessedRange(attributes: MatmulAttributes, side: Side, part: LaunchParts): ElementRange {
  const [along, across] = storedAxes(attributes)[side];
  const { start, end } = storedRange(part[along], part[across], attributes[across]);
  const matrices = matricesOf(attributes, side, part.batches);
  const size = attributes[along] * attributes[across];
  return { start: matrices.start * size + start, end: (matrices.end - 1) * size + end };
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

/** Whether an operand is computed from bytes, such as a batch of a data set, by the kernel that reads it. */
function isFromBytes(operand: Tensor): boolean {
  const { op, inputs } = rootOf(operand);
  return op.traits?.kind === "pointwise" && inputs[0]?.dtype === "uint8";
}

function launch(members: readonly Tensor[], tiling: Tiling, limits: LaunchLimits, part: LaunchParts): AnchorLaunch {
  const product = members[0]!;
  const attributes = product.attributes as MatmulAttributes;
  const { rows, inner, columns, transposeLeft, transposeRight, precision } = attributes;
  const size = ({ start, end }: Part) => end - start;
  const sizes = {
    rows: size(part.rows),
    inner: size(part.inner),
    columns: size(part.columns),
    batches: size(part.batches),
  };
  const accumulates = part.inner.start > 0;
  const sumsColumns = members.length > 1;
  const kernel = productKernel({
    attributes,
    tiling,
    part,
    // Where launches divide the inner axis, no launch divides it again.
    innerParts: sizes.inner < inner ? { count: 1, length: inner } : innerParts(attributes, limits),
    accumulates,
    sumsColumns,
    leftFromBytes: isFromBytes(product.inputs[0]!),
  });
  return {
    ...kernel,
    source: matrixFunctions(attributes) + kernel.source,
    subgroups: tiling.kernel === "subgroups" || tiling.kernel === "shuffles",
    subgroupMatrices: tiling.kernel === "matrices",
    float16: precision === "float16",
    ...operandsOf(product),
    constants: {
      ROWS: rows,
      COLUMNS: columns,
      INNER: inner,
      FIRST_ROW: part.rows.start,
      LAST_ROW: part.rows.end,
      FIRST_COLUMN: part.columns.start,
      LAST_COLUMN: part.columns.end,
      FIRST_INNER: part.inner.start,
      LAST_INNER: part.inner.end,
      FIRST_BATCH: part.batches.start,
      BATCHES: sizes.batches,
      TRANSPOSE_LEFT: String(transposeLeft),
      TRANSPOSE_RIGHT: String(transposeRight),
      ...kernel.constants,
      ACCUMULATE: String(accumulates),
      COLUMN_SUMS: String(sumsColumns),
    },
    grid: [Math.ceil(sizes.columns / tiling.tileColumns), Math.ceil(sizes.rows / tiling.tileRows), sizes.batches],
    flops: operationsOf(sizes, sumsColumns),
    readRanges: { left: accessedRange(attributes, "left", part), right: accessedRange(attributes, "right", part) },
    outputRange: accessedRange(attributes, "output", part),
    accumulates,
    partial: part.inner.end < inner,
  };
}

/** The operations of products, with the sums of their columns or without them. */
const operationsOf = (sizes: Readonly<Record<keyof LaunchParts, number>>, sumsColumns: boolean): number =>
  (2 * sizes.rows + Number(sumsColumns)) * sizes.columns * sizes.inner * sizes.batches;

/** How the kernels of products read operands and hand on results. */
const operandsOf = ({ inputs }: Tensor) => ({
  reads: { left: inputs[0]!, right: inputs[1]! },
  readsByRow: true,
  finishes: ["finish", "finish_column_sum"],
});

/** Products of float16 are computed by kernels that round each operand once. */
function inOneGroup(members: readonly Tensor[], limits: LaunchLimits): AnchorLaunch | undefined {
  const product = members[0]!;
  const attributes = product.attributes as MatmulAttributes;
  if (attributes.precision !== "float32") return undefined;
  const sumsColumns = members.length > 1;
  const { source, constants } = kernelInOneGroup(attributes, sumsColumns, limits);
  return {
    source: matrixFunctions(attributes) + source,
    constants,
    ...operandsOf(product),
    grid: [1, 1, 1],
    flops: operationsOf({ ...attributes, batches: batchCount(attributes.batch) }, sumsColumns),
  };
}

/** The kernel must see all values of the right operand, to sum them; the one with subgroup matrices sees none. */
function canFuse(members: readonly Tensor[], limits: LaunchLimits): boolean {
  const product = members[0]!;
  const attributes = product.attributes as MatmulAttributes;
  const tiling = tilingOf(product, limits);
  if (tiling.kernel === "matrices") return false;
  const most = largestParts(product, limits, tiling);
  return isWhole(attributes, most) && mostBatches(product, limits, most) === batchCount(attributes.batch);
}

const matmul: AnchorKernel = {
  kind: "anchor",
  load: (product, limits) => loadProductKernel(tilingOf(product, limits), limits),
  canFuse,
  inOneGroup,
  launches,
};

export const kernels = { matmul };
