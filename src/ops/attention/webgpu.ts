import shared from "../../../shaders/attention.wgsl?raw";
import lanes from "../../../shaders/attention_lanes.wgsl?raw";
import lanesForward from "../../../shaders/attention_lanes_forward.wgsl?raw";
import lanesGradients from "../../../shaders/attention_lanes_gradients.wgsl?raw";
import lanesKeyValueGradient from "../../../shaders/attention_lanes_key_value_gradient.wgsl?raw";
import lanesQueryGradient from "../../../shaders/attention_lanes_query_gradient.wgsl?raw";
import tiles from "../../../shaders/attention_tiles.wgsl?raw";
import tilesForward from "../../../shaders/attention_tiles_forward.wgsl?raw";
import tilesGradients from "../../../shaders/attention_tiles_gradients.wgsl?raw";
import tilesKeyValueGradient from "../../../shaders/attention_tiles_key_value_gradient.wgsl?raw";
import tilesQueryGradient from "../../../shaders/attention_tiles_query_gradient.wgsl?raw";
import type { Tensor } from "../../graph/tensor.ts";
import type { AnchorKernel, LaunchLimits } from "../kernel.ts";
import { floatLiteral, integerLiteral } from "../webgpu/wgsl.ts";
import { flopsOf, operandsOf, type FusedAttributes, type FusedOperands, type MaskStrides } from "./fused.ts";

// Constants of shaders/attention_tiles.wgsl: the threads along a side of a tile, and the vec4s of a row in the stage.
const SIDE = 8;
const PITCH = 5;

/** The rows and the columns of a thread in a tile. On software adapters, smaller tiles compile in 0.6 times the time. */
const ownRows = ({ software }: LaunchLimits): number => (software ? 2 : 4);

// Constants of shaders/attention_lanes.wgsl: the threads of a subgroup, and the rows that it processes.
const LANES = 8;
const LANE_ROWS = 8;

/** The operands that kernels read in blocks: their names, and the constants by which the WGSL names them. */
const BLOCK_OPERANDS = { q: "Q", k: "K", v: "V", upstream: "UPSTREAM" } as const;

type BlockOperand = keyof typeof BLOCK_OPERANDS;

const blockOperands = Object.keys(BLOCK_OPERANDS) as BlockOperand[];

const vec4sOf = (elements: number) => Math.ceil(elements / 4);

/** The rows of an operand that are staged at a time: a divisor of the size of the tile. */
function stagedRows(columns: number, tileSize: number): number {
  let rows = tileSize;
  while (rows * vec4sOf(columns) > 2 * tileSize * PITCH) rows /= 2;
  return rows;
}

/** Four adjacent elements of a row of an operand. Rows that are not whole vec4s end with zeros. */
function readFour(name: BlockOperand, { shape }: Tensor): string {
  const columns = shape.at(-1)!;
  if (columns % 4 === 0) return `read_${name}_vec4(row, column)`;
  const [width, last] = [integerLiteral(columns), integerLiteral(columns - 1)];
  const elements = [0, 1, 2, 3].map((lane) => {
    const at = `column + ${integerLiteral(lane)}`;
    return `select(0.0, read_${name}(row, min(${at}, ${last})), ${at} < ${width})`;
  });
  return `vec4(${elements.join(", ")})`;
}

/** The WGSL function that reads four elements of any of the operands, which the constants name. */
function operandFunction(operands: FusedOperands<Tensor>): string {
  const present = blockOperands.filter((name) => operands[name]);
  const names = present.map((name, which) => `const ${BLOCK_OPERANDS[name]} = ${integerLiteral(which)};`);
  const cases = present.map(
    (name, which) => `case ${integerLiteral(which)}: { return ${readFour(name, operands[name]!)}; }`,
  );
  const body = `switch which { ${cases.join(" ")} default: { return vec4<f32>(); } }`;
  return [...names, `fn operand(which: u32, row: u32, column: u32) -> vec4<f32> { ${body} }`].join("\n");
}

/** The WGSL functions of the mask and of dropout. */
function pairFunctions({ mask, drops, keys, queries }: FusedAttributes): string {
  const pair = "(batch: u32, query: u32, key: u32)";
  const allowed = mask ? `read_mask(${maskRow(mask, keys)}, key) != 0.0` : "true";
  const inside = `min(query, ${integerLiteral(queries - 1)})`;
  const kept = drops
    ? `read_dropout(batch * ${integerLiteral(queries)} + ${inside}, min(key, ${integerLiteral(keys - 1)}))`
    : "1.0";
  return `fn is_allowed${pair} -> bool { return ${allowed}; }\nfn factor${pair} -> f32 { return ${kept}; }\n`;
}

/** The WGSL expression of the row of the mask, of `keys` elements, for a batch and a query. */
function maskRow({ sizes, leading, query }: MaskStrides, keys: number): string {
  let divisor = 1;
  const terms = [query === 0 ? "0u" : "query"];
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const rows = leading[axis]! / keys;
    if (rows !== 0) {
      const position = `batch / ${integerLiteral(divisor)} % ${integerLiteral(sizes[axis]!)}`;
      terms.push(`${position} * ${integerLiteral(rows)}`);
    }
    divisor *= sizes[axis]!;
  }
  return terms.join(" + ");
}

/** How a kernel divides its work. */
interface Division {
  /** What follows the functions that all kernels share. */
  readonly source: string;
  readonly constants: Readonly<Record<string, number | string>>;
  /** The queries, or the keys, of a workgroup. */
  readonly rows: number;
  readonly subgroups: boolean;
}

/** WGSL for each way to divide the work, and whether rows are keys. */
interface Sources {
  readonly tiles: string;
  readonly lanes: string;
  readonly tilesOfScores: number;
  readonly keysAreRows?: boolean;
}

/** In tiles, through workgroup memory. */
function inTiles(own: number, attributes: FusedAttributes, { tiles: source, tilesOfScores }: Sources): Division {
  const { width, values } = attributes;
  const rows = SIDE * own;
  return {
    source: tiles + source,
    rows,
    subgroups: false,
    constants: {
      PARTS: partsOf(attributes, SIDE),
      OWN: own,
      TILES: tilesOfScores,
      STAGED_WIDTH: stagedRows(width, rows),
      STAGED_VALUES: stagedRows(values, rows),
    },
  };
}

/** In subgroups. */
const inSubgroups = (attributes: FusedAttributes, { lanes: source }: Sources): Division => ({
  source: lanes + source,
  rows: LANE_ROWS,
  constants: { PARTS: partsOf(attributes, LANES) },
  subgroups: true,
});

/** The vec4s of a sum that each of the threads which share a row has. */
const partsOf = ({ width, values }: FusedAttributes, threads: number) =>
  Math.ceil(vec4sOf(Math.max(width, values)) / threads);

/** Software adapters whose vectors have eight elements. On them, the kernels in tiles took five to eight times as long. */
const fitsLanes = ({ software, slowArrays, subgroupSize }: LaunchLimits) =>
  software && !slowArrays && subgroupSize === LANES;

function attentionKernel(sources: Sources): AnchorKernel {
  return {
    kind: "anchor",
    launches([node], limits) {
      const attributes = node!.attributes as FusedAttributes;
      const { batches, queries, keys, width, values, scale, causal } = attributes;
      const operands = operandsOf(node!, node!.inputs);
      const { source, rows, constants, subgroups } = fitsLanes(limits)
        ? inSubgroups(attributes, sources)
        : inTiles(ownRows(limits), attributes, sources);
      const groups = Math.min(batches, limits.gridSize);
      const { keysAreRows = false } = sources;
      return [
        {
          source: [operandFunction(operands), pairFunctions(attributes), shared, source].join("\n"),
          reads: operands as unknown as Record<string, Tensor>,
          readsByRow: true,
          vec4Reads: blockOperands.filter((name) => (operands[name]?.shape.at(-1) ?? 1) % 4 === 0),
          finishes: ["finish"],
          subgroups,
          constants: {
            QUERIES: queries,
            KEYS: keys,
            WIDTH: width,
            VALUES: values,
            SCALE: floatLiteral(scale),
            CAUSAL: String(causal),
            BATCHES: batches,
            GROUPS: groups,
            KEYS_ARE_ROWS: String(keysAreRows),
            ...constants,
          },
          grid: [Math.ceil((keysAreRows ? keys : queries) / rows), groups, 1],
          flops: flopsOf(node!),
        },
      ];
    },
  };
}

export const kernels = {
  attention: attentionKernel({ tiles: tilesForward, lanes: lanesForward, tilesOfScores: 1 }),
  attentionQueryGradient: attentionKernel({
    tiles: tilesGradients + tilesQueryGradient,
    lanes: lanesGradients + lanesQueryGradient,
    tilesOfScores: 2,
  }),
  attentionKeyValueGradient: attentionKernel({
    tiles: tilesGradients + tilesKeyValueGradient,
    lanes: lanesGradients + lanesKeyValueGradient,
    tilesOfScores: 2,
    keysAreRows: true,
  }),
};
