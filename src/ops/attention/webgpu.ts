import shared from "../../../shaders/attention.wgsl?raw";
import forward from "../../../shaders/attention_forward.wgsl?raw";
import gradients from "../../../shaders/attention_gradients.wgsl?raw";
import keyValueGradient from "../../../shaders/attention_key_value_gradient.wgsl?raw";
import queryGradient from "../../../shaders/attention_query_gradient.wgsl?raw";
import type { Tensor } from "../../graph/tensor.ts";
import type { AnchorKernel, LaunchLimits } from "../kernel.ts";
import { floatLiteral, integerLiteral } from "../webgpu/wgsl.ts";
import { flopsOf, operandsOf, type FusedAttributes, type FusedOperands, type MaskStrides } from "./fused.ts";

// Constants of shaders/attention.wgsl: the threads along a side of a tile, and the vec4s of a row in the stage.
const SIDE = 8;
const PITCH = 5;

/**
 * The rows and the columns of a thread, and so the size of a tile. Subgroups of at most eight are the vectors of software adapters,
 * where smaller tiles compile in 0.6 times the time.
 */
const ownRows = ({ subgroupSize = Infinity }: LaunchLimits): number => (subgroupSize <= 8 ? 2 : 4);

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

function attentionKernel(
  source: string,
  tilesAlong: "queries" | "keys",
  ownConstants: Readonly<Record<string, number | string>>,
): AnchorKernel {
  return {
    kind: "anchor",
    launches([node], limits) {
      const attributes = node!.attributes as FusedAttributes;
      const { batches, queries, keys, width, values, scale, causal } = attributes;
      const operands = operandsOf(node!, node!.inputs);
      const own = ownRows(limits);
      const tileSize = SIDE * own;
      const groups = Math.min(batches, limits.gridSize);
      return [
        {
          source: [operandFunction(operands), pairFunctions(attributes), shared, source].join("\n"),
          reads: operands as unknown as Record<string, Tensor>,
          readsByRow: true,
          vec4Reads: blockOperands.filter((name) => (operands[name]?.shape.at(-1) ?? 1) % 4 === 0),
          finishes: ["finish"],
          constants: {
            QUERIES: queries,
            KEYS: keys,
            WIDTH: width,
            VALUES: values,
            SCALE: floatLiteral(scale),
            CAUSAL: String(causal),
            PARTS: Math.ceil(vec4sOf(Math.max(width, values)) / SIDE),
            STAGED_WIDTH: stagedRows(width, tileSize),
            STAGED_VALUES: stagedRows(values, tileSize),
            OWN: own,
            BATCHES: batches,
            GROUPS: groups,
            ...ownConstants,
          },
          grid: [Math.ceil(attributes[tilesAlong] / tileSize), groups, 1],
          flops: flopsOf(node!),
        },
      ];
    },
  };
}

export const kernels = {
  attention: attentionKernel(forward, "queries", { TILES: 1 }),
  attentionQueryGradient: attentionKernel(gradients + queryGradient, "queries", { TILES: 2, KEYS_ARE_ROWS: "false" }),
  attentionKeyValueGradient: attentionKernel(gradients + keyValueGradient, "keys", {
    TILES: 2,
    KEYS_ARE_ROWS: "true",
  }),
};
