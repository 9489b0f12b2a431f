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
  /** Whether the loop over the values of k in a step is unrolled in WGSL, which takes twice as long to compile. */
  readonly unrolled: boolean;
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
  { inner = USUAL_INNER, buffers = 1, unrolled = false } = {},
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
  return [name, { kernel: "registers", constants, unrolled, tileRows, tileColumns }];
}

/**
 * In order of preference. Each thread loads a whole number of vec4s of each operand in a step. The order is that of times on an
 * H100, where for example 4096³ took 4.6 ms with the first one and 5.7 ms with the second.
 */
const TILINGS = [
  inRegisters([16, 8], [8, 16], { unrolled: true }),
  inRegisters([8, 16], [16, 8], { unrolled: true }),
  inRegisters([16, 8], [8, 8], { unrolled: true }),
  inRegisters([8, 16], [8, 8], { unrolled: true }),
  inRegisters([8, 8], [16, 8]),
  inRegisters([8, 8], [16, 16]),
  inRegisters([8, 8], [16, 16], { inner: 8 }),
  inRegisters([8, 8], [16, 16], { inner: 8, buffers: 2 }),
  inRegisters([8, 8], [8, 16]),
  inRegisters([8, 8], [16, 8], { buffers: 2 }),
  inRegisters([8, 8], [32, 8]),
  inRegisters([8, 8], [8, 32]),
  inRegisters([8, 4], [16, 16]),
  inRegisters([8, 4], [8, 16]),
  inRegisters([4, 4], [16, 16]),
  inRegisters([8, 4], [8, 16], { buffers: 2 }),
  inRegisters([8, 8], [8, 8]),
  inRegisters([4, 4], [16, 8]),
  inRegisters([4, 4], [8, 16]),
  inRegisters([8, 4], [8, 8]),
  inRegisters([4, 4], [8, 8]),
  inRegisters([4, 4], [8, 8], { buffers: 2 }),
  inRegisters([4, 4], [8, 8], { inner: 8 }),
  inRegisters([4, 4], [16, 4]),
  inRegisters([4, 4], [4, 16]),
  inRegisters([8, 4], [16, 4]),
  inRegisters([4, 4], [8, 4]),
  inRegisters([4, 4], [4, 8]),
  inRegisters([4, 4], [8, 4], { inner: 8 }),
  inRegisters([4, 4], [4, 8], { inner: 8 }),
  inRegisters([4, 4], [4, 4]),
  inRegisters([4, 4], [4, 4], { inner: 8 }),
  inRegisters([4, 4], [4, 4], { inner: 32 }),
] as const;

/** With several parts, this many vec4s, half of all banks, follow the blocks of each. */
const BLOCK_PADDING = 4;

/** The sizes in vec4s of what a part has in workgroup memory. */
export function partBlocks(
  { constants, tileRows, tileColumns }: RegisterTiling,
  parts: number,
  exactSums: boolean,
): { readonly padding: number; readonly blocks: number; readonly rowOfOutputs: number } {
  const { THREAD_COLUMNS, GROUP_ROWS, GROUP_COLUMNS, TILE_INNER, BUFFERS } = constants;
  const padding = parts > 1 ? BLOCK_PADDING : 0;
  const operands = (TILE_INNER * (tileRows + tileColumns * (exactSums ? 2 : 1))) / 4;
  return {
    padding,
    blocks: BUFFERS * (operands + padding),
    rowOfOutputs: (GROUP_ROWS * GROUP_COLUMNS * THREAD_COLUMNS) / 4,
  };
}

/** As many rows of each thread's outputs as fit in an amount of workgroup memory, at least one. */
export function stripRowsOf(threadRows: number, sizeOfRow: number, most: number): number {
  let rows = threadRows;
  while (rows > 1 && rows * sizeOfRow > most) rows /= 2;
  return rows;
}

/** The tilings that a device can run for a product, by name. */
export function registerTilings(attributes: MatmulAttributes, limits: LaunchLimits): Record<string, RegisterTiling> {
  const { count } = innerParts(attributes, limits);
  const fits = ([, tiling]: readonly [string, RegisterTiling]) => {
    const { GROUP_ROWS, GROUP_COLUMNS } = tiling.constants;
    const { blocks, rowOfOutputs } = partBlocks(tiling, count, attributes.precision === "float16");
    return (
      count * GROUP_ROWS * GROUP_COLUMNS <= limits.workgroupThreads &&
      16 * count * Math.max(blocks, rowOfOutputs) <= limits.workgroupBytes
    );
  };
  return Object.fromEntries(TILINGS.filter(fits));
}

/**
 * So many workgroups with 4×4 outputs per thread keep a large GPU busy (an H100 has 132 units); with more outputs, proportionally
 * more of them are needed for as many threads.
 */
const ENOUGH_WORKGROUPS = 96;

/** The largest number of outputs, inside the product and outside, compared with that of the smallest tile. */
const MOST_PADDING = 1.25;

/**
 * The name of the tiling by rule of thumb: the first one of which there are enough workgroups, else the first of the smallest ones.
 * Larger tiles read operands less often; more workgroups use more of the GPU.
 */
export function usualRegisterTiling(attributes: MatmulAttributes, limits: LaunchLimits): string {
  const { rows, columns, batch } = attributes;
  const count = ({ tileRows, tileColumns }: TileSizes) => Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns);
  const area = ({ tileRows, tileColumns }: TileSizes) => tileRows * tileColumns;
  const outputs = (tiling: TileSizes) => count(tiling) * area(tiling);
  const possible = Object.entries(registerTilings(attributes, limits));
  const least = Math.min(...possible.map(([, tiling]) => outputs(tiling)));
  const isEnough = (tiling: RegisterTiling) => {
    const { THREAD_ROWS, THREAD_COLUMNS } = tiling.constants;
    const needed = (ENOUGH_WORKGROUPS * THREAD_ROWS * THREAD_COLUMNS) / 16;
    return batchCount(batch) * count(tiling) >= needed && outputs(tiling) <= MOST_PADDING * least;
  };
  const smallest = Math.min(...possible.map(([, tiling]) => area(tiling)));
  return possible.find(([, tiling]) => isEnough(tiling) || area(tiling) === smallest)![0];
}
