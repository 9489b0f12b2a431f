import type { LaunchLimits } from "../kernel.ts";
import { batchCount } from "./batches.ts";
import type { MatmulAttributes, MatrixProduct } from "./index.ts";
import { registerTilings, usualRegisterTiling, type RegisterTiling } from "./webgpu-register-tilings.ts";
import { shuffleTilings, type ShuffleTiling } from "./webgpu-shuffle-tilings.ts";

/** How a product is divided: the constants of the WGSL, and the outputs of one workgroup. */
export interface TileSizes {
  readonly constants: Readonly<Record<string, number>>;
  readonly tileRows: number;
  readonly tileColumns: number;
}

/** A tiling of shaders/matmul.wgsl or shaders/matmul_subgroup.wgsl, which are for software adapters. */
export interface SoftwareTiling extends TileSizes {
  readonly kernel: "blocks" | "subgroups";
}

/** A tiling of shaders/matmul_variables.wgsl. */
export interface VariablesTiling extends TileSizes {
  readonly kernel: "variables";
}

/** The tiling of shaders/matmul_subgroup_matrix.wgsl. */
export interface MatrixTiling extends TileSizes {
  readonly kernel: "matrices";
}

export type Tiling = SoftwareTiling | RegisterTiling | ShuffleTiling | VariablesTiling | MatrixTiling;

/** Matrices of outputs along each side of a workgroup's tile. */
const TILE_MATRICES = 2;

/** A tiling with a variable for each row of a thread, and four columns. */
function byVariables(threadRows: number, threads: number): VariablesTiling {
  const constants = { THREAD_ROWS: threadRows, GROUP_THREADS: threads };
  return { kernel: "variables", constants, tileRows: threadRows, tileColumns: 4 * threads };
}

const variablesName = (rows: number, threads: number) => `variables, ${rows}×4 outputs, ${threads} threads`;

/** By name, the tilings for adapters with slow arrays. */
function variablesTilings(): Readonly<Record<string, Tiling>> {
  const sizes = [8, 4].flatMap((rows) => [32, 4].map((threads) => [rows, threads] as const));
  return Object.fromEntries(sizes.map(([rows, threads]) => [variablesName(rows, threads), byVariables(rows, threads)]));
}

/** Few columns have few threads, and few rows few of them for each. */
const usualVariables = ({ rows, columns }: MatmulAttributes) => variablesName(rows > 4 ? 8 : 4, columns > 32 ? 32 : 4);

/**
 * The tiling by subgroup matrices, where the device has them and the operands are float16. It is then the only one: its bits differ
 * from those of the others, between which a tuner could not choose.
 */
export function matrixTiling({ precision }: MatmulAttributes, limits: LaunchLimits): MatrixTiling | undefined {
  const { subgroupMatrix: sizes } = limits;
  if (!sizes || precision !== "float16") return undefined;
  return {
    kernel: "matrices",
    constants: {
      MATRIX_ROWS: sizes.rows,
      MATRIX_COLUMNS: sizes.columns,
      MATRIX_INNER: sizes.inner,
      ROW_MATRICES: TILE_MATRICES,
      COLUMN_MATRICES: TILE_MATRICES,
      GROUP_THREADS: sizes.threads,
    },
    tileRows: TILE_MATRICES * sizes.rows,
    tileColumns: TILE_MATRICES * sizes.columns,
  };
}

/** A tiling with workgroup memory: outputs per thread, and threads per workgroup, along rows and columns. */
/* @__NO_SIDE_EFFECTS__ */
function tiled(threadRows: number, threadColumns: number, groupRows = 8, groupColumns = 8): SoftwareTiling {
  return {
    kernel: "blocks",
    constants: {
      THREAD_ROWS: threadRows,
      THREAD_COLUMNS: threadColumns,
      GROUP_ROWS: groupRows,
      GROUP_COLUMNS: groupColumns,
      TILE_INNER: 16,
    },
    tileRows: groupRows * threadRows,
    tileColumns: groupColumns * threadColumns,
  };
}

/** The subgroup sizes that shaders/matmul_subgroup.wgsl supports: the vectors of SwiftShader and lavapipe. */
const SUBGROUP_SIZES = [4, 8];

/** The size of the subgroups of a device, if shaders/matmul_subgroup.wgsl supports it. */
const lanesOf = ({ subgroupSize }: LaunchLimits) => SUBGROUP_SIZES.find((size) => size === subgroupSize);

/** A tiling with subgroups: rows (a multiple of eight) and columns of outputs per thread. */
function bySubgroups(lanes: number, threadRows: number, threadColumns: number): SoftwareTiling {
  return {
    kernel: "subgroups",
    constants: { LANES: lanes, THREAD_ROWS: threadRows, THREAD_COLUMNS: threadColumns },
    tileRows: threadRows,
    tileColumns: lanes * threadColumns,
  };
}

const tiledByName: Readonly<Record<string, SoftwareTiling>> = {
  "8×8 outputs": tiled(8, 8),
  "8×4 outputs": tiled(8, 4),
  "4×8 outputs": tiled(4, 8),
  "4×4 outputs": tiled(4, 4),
  "4×4 outputs, 16×16 threads": tiled(4, 4, 16, 16),
  "4×2 outputs": tiled(4, 2),
  "2×4 outputs": tiled(2, 4),
  "2×2 outputs": tiled(2, 2),
  "2×1 outputs": tiled(2, 1),
  "1×2 outputs": tiled(1, 2),
  "1×1 outputs": tiled(1, 1),
};

const SUBGROUP_OUTPUTS = [
  [32, 4],
  [32, 2],
  [32, 1],
  [16, 8],
  [16, 4],
  [16, 2],
  [16, 1],
  [8, 8],
  [8, 4],
  [8, 2],
  [8, 1],
] as const;

const subgroupName = (rows: number, columns: number) => `subgroups, ${rows}×${columns} outputs`;

/** A product by itself, or with what is known of its operands. */
type Described = MatmulAttributes & Partial<Pick<MatrixProduct, "virtual">>;

/**
 * Whether a product runs with variables in place of arrays. The code of each read of the left operand is then in the kernel once for
 * each row of a thread. With the patches of a convolution, SwiftShader took minutes and 10 GB of memory to compile that.
 */
const isByVariables = ({ virtual }: Described, { slowArrays }: LaunchLimits) => slowArrays === true && !virtual;

/** All tilings that a device can run for a product, by name. All give the same bits, so a tuner may choose any. */
export function possibleTilings(product: Described, limits: LaunchLimits): Readonly<Record<string, Tiling>> {
  if (!limits.software) return { ...registerTilings(product, limits), ...shuffleTilings(product, limits) };
  if (isByVariables(product, limits)) return variablesTilings();
  const { workgroupThreads, workgroupBytes } = limits;
  const fitting = Object.entries(tiledByName).filter(([, { constants, tileRows, tileColumns }]) => {
    const { GROUP_ROWS = 0, GROUP_COLUMNS = 0, TILE_INNER = 0 } = constants;
    return (
      GROUP_ROWS * GROUP_COLUMNS <= workgroupThreads && 4 * TILE_INNER * (tileRows + tileColumns) <= workgroupBytes
    );
  });
  const lanes = lanesOf(limits);
  const subgroups = lanes
    ? SUBGROUP_OUTPUTS.map(
        ([rows, columns]) => [subgroupName(rows, columns), bySubgroups(lanes, rows, columns)] as const,
      )
    : [];
  return Object.fromEntries([...fitting, ...subgroups]);
}

/**
 * The class of a product. Products whose sizes and number of matrices agree within a factor of two, with the same transposes,
 * precision and kind of operands, share a choice.
 */
export function productClass(product: MatrixProduct): string {
  const { rows, inner, columns, transposeLeft, transposeRight, precision, batch, virtual } = product;
  const size = (value: number) => 2 ** Math.round(Math.log2(value));
  const matrices = batch ? `${size(batchCount(batch))} of ` : "";
  const left = `${size(rows)}×${size(inner)}${transposeLeft ? "ᵀ" : ""}${virtual?.left ? ` ${virtual.left.op.name}` : ""}`;
  const right = `${size(inner)}×${size(columns)}${transposeRight ? "ᵀ" : ""}${virtual?.right ? ` ${virtual.right.op.name}` : ""}`;
  return `${matrices}${left} · ${right}${precision === "float16" ? ", float16" : ""}`;
}

/** The tuner's choice for a product, if there is one that the device can run, else the tiling by rule of thumb. */
export function chooseTiling(product: MatrixProduct, limits: LaunchLimits): Tiling {
  const matrices = matrixTiling(product, limits);
  if (matrices) return matrices;
  const possible = possibleTilings(product, limits);
  const chosen = limits.choiceOf?.(productClass(product));
  return (chosen === undefined ? undefined : possible[chosen]) ?? possible[usualTiling(product, limits)]!;
}

/**
 * The name of the tiling for a shape by rule of thumb. Subgroups of four or eight are the vectors of software adapters. On
 * those, reading an operand once for all rows of a subgroup and broadcasting it was 3 to 5 times faster than workgroup
 * memory (64×784 · 784×128 on lavapipe: 19 against 4.7 GFLOP/s on two cores). If a side is shorter than a tile, there
 * are fewer outputs per thread, so that threads do not compute padding.
 */
export function usualTiling(product: Described, limits: LaunchLimits): string {
  if (!limits.software) return usualRegisterTiling(product, limits);
  if (isByVariables(product, limits)) return usualVariables(product);
  const lanes = lanesOf(limits);
  if (lanes) return usualSubgroupTiling(product, lanes);
  const { rows, columns } = product;
  const along = (size: number) => (size >= 64 ? 8 : size >= 16 ? 4 : size >= 8 ? 2 : 1);
  const [down, across] = [along(rows), along(columns)];
  // If a side is short, more workgroups are better than longer tiles.
  return `${Math.min(down, 2 * across)}×${Math.min(across, 2 * down)} outputs`;
}

/**
 * Below this number of multiply-adds, tiles have at most four columns per lane: their kernels compile in 0.6 times the time of
 * eight, and take 1.1 times as long.
 */
const FEWEST_OF_WIDE_TILES = 2 ** 19;

function usualSubgroupTiling({ rows, inner, columns, transposeLeft }: MatmulAttributes, lanes: number): string {
  const perLane = columns / lanes;
  const few = perLane > 2 ? 4 : perLane > 1 ? 2 : 1;
  // So many rows that lanes read four adjacent ones each.
  if (transposeLeft && rows >= 32 && rows % 4 === 0) return subgroupName(32, few);
  const isWide = perLane > 4 && rows * inner * columns >= FEWEST_OF_WIDE_TILES;
  return subgroupName(rows > 8 ? 16 : 8, isWide ? 8 : few);
}
