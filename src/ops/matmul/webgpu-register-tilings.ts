/*
 * The tilings of shaders/matmul_registers.wgsl, for GPUs.
 */
import type { LaunchLimits } from "../kernel.ts";
import { batchCount } from "./batches.ts";
import type { MatmulAttributes } from "./index.ts";
import { innerParts } from "./webgpu-inner-parts.ts";
import type { TileSizes } from "./webgpu-tilings.ts";

/** A tiling with operands and sums in registers. */
export interface RegisterTiling extends TileSizes {
  readonly kernel: "registers";
  readonly constants: {
    readonly THREAD_ROWS: number;
    readonly THREAD_COLUMNS: number;
    readonly GROUP_ROWS: number;
    readonly GROUP_COLUMNS: number;
    readonly TILE_INNER: number;
    readonly BUFFERS: number;
  };
}

const USUAL_INNER = 16;

/** A tiling with its name: outputs per thread and threads of a part, along rows and columns. */
/* @__NO_SIDE_EFFECTS__ */
function inRegisters(
  [threadRows, threadColumns]: readonly [number, number],
  [groupRows, groupColumns]: readonly [number, number],
  { inner = USUAL_INNER, buffers = 1 } = {},
): readonly [string, RegisterTiling] {
  const [tileRows, tileColumns] = [groupRows * threadRows, groupColumns * threadColumns];
  const name = [
    `tile ${tileRows}×${tileColumns}`,
    `${threadRows}×${threadColumns} outputs`,
    ...(inner === USUAL_INNER ? [] : [`steps of ${inner}`]),
    ...(buffers === 1 ? [] : ["two buffers"]),
  ].join(", ");
  const constants = {
    THREAD_ROWS: threadRows,
    THREAD_COLUMNS: threadColumns,
    GROUP_ROWS: groupRows,
    GROUP_COLUMNS: groupColumns,
    TILE_INNER: inner,
    BUFFERS: buffers,
  };
  return [name, { kernel: "registers", constants, tileRows, tileColumns }];
}

/**
 * From large to small tiles, which is the order of preference. Each thread loads a whole number of vec4s of each operand in a
 * step.
 */
const TILINGS = [
  inRegisters([8, 8], [16, 16], { inner: 8 }),
  inRegisters([8, 8], [16, 16]),
  inRegisters([8, 8], [16, 16], { inner: 8, buffers: 2 }),
  inRegisters([8, 8], [16, 8]),
  inRegisters([8, 8], [8, 16]),
  inRegisters([8, 4], [16, 16]),
  inRegisters([8, 4], [8, 16]),
  inRegisters([4, 4], [16, 16]),
  inRegisters([8, 4], [8, 16], { buffers: 2 }),
  inRegisters([8, 8], [8, 8]),
  inRegisters([4, 4], [16, 8]),
  inRegisters([4, 4], [8, 16]),
  inRegisters([8, 4], [8, 8]),
  inRegisters([8, 4], [16, 4]),
  inRegisters([4, 4], [8, 8]),
  inRegisters([4, 4], [8, 8], { buffers: 2 }),
  inRegisters([4, 4], [8, 8], { inner: 8 }),
  inRegisters([4, 4], [16, 4]),
  inRegisters([4, 4], [4, 16]),
  inRegisters([4, 4], [8, 4]),
  inRegisters([4, 4], [4, 8]),
  inRegisters([4, 4], [8, 4], { inner: 8 }),
  inRegisters([4, 4], [4, 8], { inner: 8 }),
  inRegisters([4, 4], [4, 4], { inner: 32 }),
  inRegisters([4, 4], [4, 4]),
  inRegisters([4, 4], [4, 4], { inner: 8 }),
] as const;

/** The sizes in vec4s of what a part has in workgroup memory. */
export function partBlocks(
  { constants, tileRows, tileColumns }: RegisterTiling,
  exactSums: boolean,
): { readonly blocks: number; readonly rowOfOutputs: number } {
  const { THREAD_COLUMNS, GROUP_ROWS, GROUP_COLUMNS, TILE_INNER, BUFFERS } = constants;
  return {
    blocks: (BUFFERS * TILE_INNER * (tileRows + tileColumns * (exactSums ? 2 : 1))) / 4,
    rowOfOutputs: (GROUP_ROWS * GROUP_COLUMNS * THREAD_COLUMNS) / 4,
  };
}

/** The tilings that a device can run for a product, by name. */
export function registerTilings(attributes: MatmulAttributes, limits: LaunchLimits): Record<string, RegisterTiling> {
  const { count } = innerParts(attributes, limits);
  const fits = ([, tiling]: readonly [string, RegisterTiling]) => {
    const { GROUP_ROWS, GROUP_COLUMNS } = tiling.constants;
    const { blocks, rowOfOutputs } = partBlocks(tiling, attributes.precision === "float16");
    return (
      count * GROUP_ROWS * GROUP_COLUMNS <= limits.workgroupThreads &&
      16 * count * Math.max(blocks, rowOfOutputs) <= limits.workgroupBytes
    );
  };
  return Object.fromEntries(TILINGS.filter(fits));
}

/** So many workgroups give each unit of a large GPU (132 of an H100) about two. */
const ENOUGH_WORKGROUPS = 256;

/** The largest share of outputs outside the product, compared with the smallest tile. */
const MOST_PADDING = 1.25;

/**
 * The name of the tiling by rule of thumb: the largest tile of which there are enough workgroups, else the smallest one that
 * loads the usual number of values of k at once. Larger tiles read operands less often; more workgroups use more of the GPU.
 */
export function usualRegisterTiling(attributes: MatmulAttributes, limits: LaunchLimits): string {
  const { rows, columns, batch } = attributes;
  const count = ({ tileRows, tileColumns }: TileSizes) => Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns);
  const outputs = (tiling: TileSizes) => count(tiling) * tiling.tileRows * tiling.tileColumns;
  const possible = Object.entries(registerTilings(attributes, limits));
  const least = Math.min(...possible.map(([, tiling]) => outputs(tiling)));
  const isEnough = (tiling: TileSizes) =>
    batchCount(batch) * count(tiling) >= ENOUGH_WORKGROUPS && outputs(tiling) <= MOST_PADDING * least;
  const enough = possible.find(([, tiling]) => isEnough(tiling));
  if (enough) return enough[0];
  const smallest = possible.filter(([, tiling]) => tiling.tileRows * tiling.tileColumns === SMALLEST_TILE);
  return (smallest.find(([, { constants }]) => constants.TILE_INNER === USUAL_INNER) ?? smallest.at(-1)!)[0];
}

const SMALLEST_TILE = 16 * 16;
