/*
 * The WGSL of a product, its constants, and which operands it reads in vec4s, for each kind of tiling.
 */
import blocksFloat16 from "../../../shaders/matmul_blocks_float16.wgsl?raw";
import blocksFloat32 from "../../../shaders/matmul_blocks_float32.wgsl?raw";
import float16Rounding from "../../../shaders/float16_rounding.wgsl?raw";
import elementsSource from "../../../shaders/matmul_elements.wgsl?raw";
import operandFloat16 from "../../../shaders/operand_float16.wgsl?raw";
import operandFloat32 from "../../../shaders/operand_float32.wgsl?raw";
import subgroupSource from "../../../shaders/matmul_subgroup.wgsl?raw";
import blocksSource from "../../../shaders/matmul.wgsl?raw";
import type { AnchorLaunch, LaunchLimits } from "../kernel.ts";
import type { Part } from "../webgpu/parts.ts";
import { batchCount } from "./batches.ts";
import type { MatmulAttributes } from "./index.ts";
import type { InnerParts } from "./webgpu-inner-parts.ts";
import type { Precision } from "../../precisions.ts";
import type { outputsKernel } from "./webgpu-outputs.ts";
import { partBlocks, stripRowsOf, type RegisterTiling } from "./webgpu-register-tilings.ts";
import type { registerSource } from "./webgpu-registers.ts";
import type { ShuffleTiling } from "./webgpu-shuffle-tilings.ts";
import type { shuffleProduct } from "./webgpu-shuffles.ts";
import type { SoftwareTiling, Tiling, VariablesTiling } from "./webgpu-tilings.ts";
import type { variablesSource } from "./webgpu-variables.ts";

export type Axis = "rows" | "inner" | "columns";

/** What one launch computes of a product, and how. */
export interface ProductLaunch {
  readonly attributes: MatmulAttributes;
  readonly tiling: Tiling;
  readonly part: Readonly<Record<Axis, Part>>;
  readonly innerParts: InnerParts;
  readonly accumulates: boolean;
  readonly sumsColumns: boolean;
  /** Whether elements of the left operand are computed from bytes, four of which share a word. */
  readonly leftFromBytes: boolean;
}

/** What a launch's kernel depends on besides the sizes. */
export type ProductKernel = Pick<AnchorLaunch, "source" | "constants" | "vec4Reads">;

/** Which operands are read in vec4s. */
export type Vec4Sides = Readonly<Record<"left" | "right", boolean>>;

let variables: { variablesSource: typeof variablesSource } | undefined;
let matrices: { subgroupMatrixSource: string } | undefined;
let registers: { registerSource: typeof registerSource } | undefined;
let shuffles: { shuffleProduct: typeof shuffleProduct } | undefined;
let outputs: { outputsKernel: typeof outputsKernel } | undefined;

/** Loads the kernel of a tiling that a page with a software adapter, or without a choice of the tuner, does not need. */
export async function loadProductKernel({ kernel }: Tiling, { mergeKernels }: LaunchLimits): Promise<void> {
  if (kernel === "matrices") matrices ??= await import("./webgpu-subgroup-matrices.ts");
  if (kernel === "variables") variables ??= await import("./webgpu-variables.ts");
  if (kernel === "registers") registers ??= await import("./webgpu-registers.ts");
  if (kernel === "shuffles") shuffles ??= await import("./webgpu-shuffles.ts");
  if (mergeKernels) outputs ??= await import("./webgpu-outputs.ts");
}

/** The kernel in one workgroup. Call `loadProductKernel` first. */
export const kernelInOneGroup: typeof outputsKernel = (...product) => outputs!.outputsKernel(...product);

/** The kernel of a launch. Call `loadProductKernel` with its tiling first. */
export function productKernel(launch: ProductLaunch): ProductKernel {
  const { tiling } = launch;
  if (tiling.kernel === "matrices") return { source: matrices!.subgroupMatrixSource, constants: tiling.constants };
  if (tiling.kernel === "variables") return variablesKernel(launch, tiling);
  if (tiling.kernel === "registers") return registerKernel(launch, tiling);
  if (tiling.kernel === "shuffles") return shuffleKernel(launch, tiling);
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
  return withVec4Reads(launch, sides, { source, constants });
}

function subgroupKernel(launch: ProductLaunch, tiling: SoftwareTiling): ProductKernel {
  const { attributes } = launch;
  const { transposeLeft, transposeRight, rows, inner, columns, batch } = attributes;
  const { LANES = 0, THREAD_ROWS = 0, THREAD_COLUMNS = 0 } = tiling.constants;
  const work = batchCount(batch) * rows * inner * columns;
  const alongInner = work >= FEWEST_PRODUCTS && THREAD_ROWS <= 16 && THREAD_COLUMNS <= 4;
  const divisible = divisibleSides(launch);
  const sides = {
    left: divisible.left && (transposeLeft ? THREAD_ROWS % (4 * LANES) === 0 : alongInner || launch.leftFromBytes),
    right: divisible.right && (transposeRight ? alongInner : THREAD_COLUMNS % 4 === 0),
  };
  const step = alongInner && ((sides.left && !transposeLeft) || (sides.right && transposeRight)) ? 4 : 1;
  return withVec4Reads(launch, sides, {
    source: elementsSource + subgroupSource,
    constants: { ...tiling.constants, STEP: step },
  });
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
  const inner = part.inner.end - part.inner.start;
  const partInner = Math.min(innerParts.length, inner);
  const sizes = partBlocks(tiling, innerParts.count, exactSums);
  const stripRows = stripRowsOf(THREAD_ROWS, sizes.rowOfOutputs, sizes.blocks);
  const source = registers!.registerSource({
    threadRows: THREAD_ROWS,
    threadColumns: THREAD_COLUMNS,
    leftLoads: (TILE_INNER * THREAD_ROWS) / (4 * GROUP_COLUMNS),
    rightLoads: (TILE_INNER * THREAD_COLUMNS) / (4 * GROUP_ROWS),
    innerVec4s: TILE_INNER / 4,
    unrolled: tiling.unrolled,
    stripRows,
    transposeLeft,
    transposeRight,
    accumulates,
    sumsColumns,
    exactSums,
  });
  const constants = {
    ...tiling.constants,
    EXACT_SUMS: String(exactSums),
    PARTS: innerParts.count,
    PART_INNER: partInner,
    WHOLE_STEPS: String(partInner % TILE_INNER === 0 && inner % partInner === 0),
    STRIP_ROWS: stripRows,
    BLOCK_PADDING: sizes.padding,
  };
  return withVec4Reads(launch, sides, { source, constants });
}

function shuffleKernel(launch: ProductLaunch, tiling: ShuffleTiling): ProductKernel {
  const { sides, ...kernel } = shuffles!.shuffleProduct(launch, tiling, divisibleSides(launch));
  return withVec4Reads(launch, sides, kernel);
}

/** Whether the rows of each operand in memory, and the parts of them that the launch reads, have a multiple of four elements. */
function divisibleSides({ attributes, part }: ProductLaunch): Vec4Sides {
  const { transposeLeft, transposeRight } = attributes;
  const isDivisible = (axis: Axis) =>
    [attributes[axis], part[axis].start, part[axis].end].every((size) => size % 4 === 0);
  return {
    left: isDivisible(transposeLeft ? "rows" : "inner"),
    right: isDivisible(transposeRight ? "inner" : "columns"),
  };
}

const SIDES = ["left", "right"] as const;

/** A kernel with the type of its operands, which reads some of them in vec4s. Functions that read others so are declared, but not used. */
function withVec4Reads(
  { attributes }: ProductLaunch,
  sides: Vec4Sides,
  { source, constants }: Pick<ProductKernel, "source" | "constants">,
): ProductKernel {
  const unused = SIDES.filter((side) => !sides[side]).map(
    (side) => `fn read_${side}_vec4(row: u32, column: u32) -> vec4<f32> {\n    return vec4<f32>();\n}\n`,
  );
  return {
    source: [...unused, OPERANDS[attributes.precision], source].join("\n"),
    constants: { ...constants, LEFT_VEC4: String(sides.left), RIGHT_VEC4: String(sides.right) },
    vec4Reads: SIDES.filter((side) => sides[side]),
  };
}
