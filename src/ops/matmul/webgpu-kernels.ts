/*
 * The WGSL of a product, its constants, and which operands it reads in vec4s, for each kind of tiling.
 */
import blocksFloat16 from "../../../shaders/matmul_blocks_float16.wgsl?raw";
import blocksFloat32 from "../../../shaders/matmul_blocks_float32.wgsl?raw";
import float16Rounding from "../../../shaders/float16_rounding.wgsl?raw";
import operandFloat16 from "../../../shaders/operand_float16.wgsl?raw";
import operandFloat32 from "../../../shaders/operand_float32.wgsl?raw";
import subgroupSource from "../../../shaders/matmul_subgroup.wgsl?raw";
import blocksSource from "../../../shaders/matmul.wgsl?raw";
import type { AnchorLaunch, LaunchLimits } from "../kernel.ts";
import { batchCount } from "./batches.ts";
import type { MatmulAttributes } from "./index.ts";
import type { InnerParts } from "./webgpu-inner-parts.ts";
import type { Precision } from "./precision.ts";
import { partBlocks, type RegisterTiling } from "./webgpu-register-tilings.ts";
import type { registerSource } from "./webgpu-registers.ts";
import type { SoftwareTiling, Tiling, VariablesTiling } from "./webgpu-tilings.ts";
import type { variablesSource } from "./webgpu-variables.ts";

/** A range of one axis. */
export interface Part {
  readonly first: number;
  readonly last: number;
}

export type Axis = "rows" | "inner" | "columns";

/** What one launch computes of a product, and how. */
export interface ProductLaunch {
  readonly attributes: MatmulAttributes;
  readonly tiling: Tiling;
  readonly part: Readonly<Record<Axis, Part>>;
  readonly innerParts: InnerParts;
  readonly accumulates: boolean;
  readonly sumsColumns: boolean;
}

/** What a launch's kernel depends on besides the sizes. */
export type ProductKernel = Pick<AnchorLaunch, "source" | "constants" | "vec4Reads">;

type Vec4Sides = Readonly<Record<"left" | "right", boolean>>;

let variables: { variablesSource: typeof variablesSource } | undefined;
let matrices: { subgroupMatrixSource: string } | undefined;
let registers: { registerSource: typeof registerSource } | undefined;

/** Loads the kernels that a page with a software adapter does not need. */
export async function loadProductKernels({ software, slowArrays, subgroupMatrix }: LaunchLimits): Promise<void> {
  if (subgroupMatrix) matrices ??= await import("./webgpu-subgroup-matrices.ts");
  if (slowArrays) variables ??= await import("./webgpu-variables.ts");
  if (!software) registers ??= await import("./webgpu-registers.ts");
}

/** The kernel of a launch. Call `loadProductKernels` first. */
export function productKernel(launch: ProductLaunch): ProductKernel {
  const { tiling } = launch;
  if (tiling.kernel === "matrices") return { source: matrices!.subgroupMatrixSource, constants: tiling.constants };
  if (tiling.kernel === "variables") return variablesKernel(launch, tiling);
  if (tiling.kernel === "registers") return registerKernel(launch, tiling);
  return tiling.kernel === "subgroups" ? subgroupKernel(launch, tiling) : blocksKernel(launch);
}

const OPERANDS: Readonly<Record<Precision, string>> = {
  float32: operandFloat32,
  float16: `${float16Rounding}\n${operandFloat16}`,
};
const BLOCKS: Readonly<Record<Precision, string>> = { float32: blocksFloat32, float16: blocksFloat16 };

function blocksKernel({ attributes: { precision }, tiling: { constants } }: ProductLaunch): ProductKernel {
  return { source: [OPERANDS[precision], blocksSource, BLOCKS[precision]].join("\n"), constants };
}

function variablesKernel(launch: ProductLaunch, { constants }: VariablesTiling): ProductKernel {
  const { attributes, accumulates } = launch;
  const sides = { left: false, right: divisibleSides(launch).right && !attributes.transposeRight };
  const source = variables!.variablesSource(constants["THREAD_ROWS"]!, accumulates);
  return {
    source: [...unusedVec4Reads(sides), OPERANDS[attributes.precision], source].join("\n"),
    constants: { ...constants, ...vec4Constants(sides) },
    vec4Reads: vec4Reads(sides),
  };
}

function subgroupKernel(launch: ProductLaunch, tiling: SoftwareTiling): ProductKernel {
  const { attributes } = launch;
  const { transposeLeft, transposeRight, precision, rows, inner, columns, batch } = attributes;
  const { LANES = 0, THREAD_ROWS = 0, THREAD_COLUMNS = 0 } = tiling.constants;
  const work = batchCount(batch) * rows * inner * columns;
  const alongInner = work >= FEWEST_PRODUCTS && THREAD_ROWS <= 16 && THREAD_COLUMNS <= 4;
  const divisible = divisibleSides(launch);
  const sides = {
    left: divisible.left && (transposeLeft ? THREAD_ROWS % (4 * LANES) === 0 : alongInner),
    right: divisible.right && (transposeRight ? alongInner : THREAD_COLUMNS % 4 === 0),
  };
  const step = (sides.left && !transposeLeft) || (sides.right && transposeRight) ? 4 : 1;
  return {
    source: [...unusedVec4Reads(sides), OPERANDS[precision], subgroupSource].join("\n"),
    constants: { ...tiling.constants, STEP: step, ...vec4Constants(sides) },
    vec4Reads: vec4Reads(sides),
  };
}

/**
 * Shorter products read one k at a time: for four, the loop is unrolled, and compiling the kernel takes twice as long. (Loops of
 * larger tiles are not unrolled by lavapipe, which is slow.)
 */
const FEWEST_PRODUCTS = 2 ** 24;

function registerKernel(launch: ProductLaunch, tiling: RegisterTiling): ProductKernel {
  const { attributes, innerParts, accumulates, sumsColumns, part } = launch;
  const { transposeLeft, transposeRight, precision } = attributes;
  const { THREAD_ROWS, THREAD_COLUMNS, GROUP_ROWS, GROUP_COLUMNS, TILE_INNER } = tiling.constants;
  const exactSums = sumsColumns && precision === "float16";
  const sides = divisibleSides(launch);
  const inner = part.inner.last - part.inner.first;
  const partInner = Math.min(innerParts.length, inner);
  const sizes = partBlocks(tiling, innerParts.count, exactSums);
  const stripRows = stripRowsOf(THREAD_ROWS, sizes);
  const source = registers!.registerSource({
    threadRows: THREAD_ROWS,
    threadColumns: THREAD_COLUMNS,
    leftLoads: (TILE_INNER * THREAD_ROWS) / (4 * GROUP_COLUMNS),
    rightLoads: (TILE_INNER * THREAD_COLUMNS) / (4 * GROUP_ROWS),
    stripRows,
    transposeLeft,
    transposeRight,
    accumulates,
    sumsColumns,
    exactSums,
  });
  return {
    source: [...unusedVec4Reads(sides), OPERANDS[precision], source].join("\n"),
    constants: {
      ...tiling.constants,
      ...vec4Constants(sides),
      EXACT_SUMS: String(exactSums),
      PARTS: innerParts.count,
      PART_INNER: partInner,
      WHOLE_STEPS: String(partInner % TILE_INNER === 0 && inner % partInner === 0),
      STRIP_ROWS: stripRows,
      BLOCK_PADDING: sizes.padding,
    },
    vec4Reads: vec4Reads(sides),
  };
}

/** As many rows of each thread's outputs as fit in the memory of the blocks, at least one. */
function stripRowsOf(
  threadRows: number,
  { blocks, rowOfOutputs }: { readonly blocks: number; readonly rowOfOutputs: number },
): number {
  let rows = threadRows;
  while (rows > 1 && rows * rowOfOutputs > blocks) rows /= 2;
  return rows;
}

/** Whether the rows of each operand in memory, and the parts of them that the launch reads, have a multiple of four elements. */
function divisibleSides({ attributes, part }: ProductLaunch): Vec4Sides {
  const { transposeLeft, transposeRight } = attributes;
  const isDivisible = (axis: Axis) =>
    [attributes[axis], part[axis].first, part[axis].last].every((size) => size % 4 === 0);
  return {
    left: isDivisible(transposeLeft ? "rows" : "inner"),
    right: isDivisible(transposeRight ? "inner" : "columns"),
  };
}

const SIDES = ["left", "right"] as const;

const vec4Reads = (sides: Vec4Sides) => SIDES.filter((side) => sides[side]);

const vec4Constants = ({ left, right }: Vec4Sides) => ({ LEFT_VEC4: String(left), RIGHT_VEC4: String(right) });

/** Declares the functions that the kernel calls only where an operand is read in vec4s. */
const unusedVec4Reads = (sides: Vec4Sides) =>
  SIDES.filter((side) => !sides[side]).map(
    (side) => `fn read_${side}_vec4(row: u32, column: u32) -> vec4<f32> {\n    return vec4<f32>();\n}\n`,
  );
