import { topologicalOrder } from "../graph/graph.ts";
import { input, type StoredAttributes } from "../graph/leaves.ts";
import type { Shape, Tensor } from "../graph/tensor.ts";
import { reductionOf } from "../graph/traits.ts";
import type { ElementwiseOp } from "../ops/elementwise/function.ts";
import { matrixProducts } from "../ops/matmul/index.ts";
import { count } from "../text.ts";
import { parameterPrefix, type Model } from "./sequential.ts";

/** One layer of a model. */
export interface SummaryRow {
  /** The path of its parameters, such as `layers.0`. */
  readonly name: string;
  /** The type in its config, such as "dense". */
  readonly type: string;
  /** The shape of its output for one example. */
  readonly outputShape: Shape;
  /** The number of elements of its parameters. */
  readonly parameters: number;
  /** Floating-point operations for applying it to one example. */
  readonly flops: number;
}

/** A model's layers as a table. */
export interface ModelSummary {
  readonly rows: readonly SummaryRow[];
  /** Sums over the rows. */
  readonly parameters: number;
  readonly flops: number;
  /** The table as text, with a header line, one line per layer and a line of totals. */
  readonly text: string;
}

/**
 * Describes a model's layers: their output shapes, parameters and floating-point operations (FLOPs) per example. FLOPs
 * are those of a forward pass without dropout: 2 for each multiply-add of a matrix product or convolution, 1 for each
 * other arithmetic operation, and 8 for a transcendental function. A training step takes about three times as many.
 *
 * @example
 * ```ts
 * const model = sequential([dense(128, { activation: "relu" }), dense(10)], { inputShape: [784] });
 * console.log(summary(model).text);
 * // layer     type   output  parameters    FLOPs
 * // layers.0  dense  [128]      100,480  200,960
 * // layers.1  dense  [10]         1,290    2,570
 * // 2 layers                    101,770  203,530
 * ```
 */
export function summary(model: Model): ModelSummary {
  const seen = new Set<Tensor>();
  const rows = model.applyEach(input("example", [1, ...model.inputShape])).map((output, index): SummaryRow => {
    const name = `${parameterPrefix(model.config)}layers.${index}`;
    const nodes = topologicalOrder([output]).filter((node) => !seen.has(node));
    for (const node of nodes) seen.add(node);
    return {
      name,
      type: model.config.layers[index]!.type,
      outputShape: output.shape.slice(1),
      parameters: parametersBelow(model, name),
      flops: nodes.reduce((total, node) => total + flopsOf(node), 0),
    };
  });
  const parameters = rows.reduce((total, row) => total + row.parameters, 0);
  const flops = rows.reduce((total, row) => total + row.flops, 0);
  return { rows, parameters, flops, text: tableOf(rows, parameters, flops) };
}

function parametersBelow({ parameters }: Model, layer: string): number {
  const own = parameters.filter(({ attributes }) => (attributes as StoredAttributes).name.startsWith(`${layer}.`));
  return own.reduce((total, { size }) => total + size, 0);
}

function flopsOf(node: Tensor): number {
  const [product] = matrixProducts({ nodes: [node] });
  if (product) return 2 * product.inner * node.size;
  const reduction = reductionOf(node);
  if (reduction) return reduction.outer * reduction.count * reduction.inner;
  const { kind, traits, row } = node.op as Partial<ElementwiseOp>;
  if (row) return (row.flops ?? 1) * node.size;
  // Pointwise ops without a function only move elements, and so do packs.
  return kind === "compute" && traits!.kind === "anchor" ? node.size : 0;
}

function tableOf(rows: readonly SummaryRow[], parameters: number, flops: number): string {
  const cells = [
    ["layer", "type", "output", "parameters", "FLOPs"],
    ...rows.map((row) => [
      row.name,
      row.type,
      `[${row.outputShape.join(", ")}]`,
      count(row.parameters),
      count(row.flops),
    ]),
    [`${rows.length} ${rows.length === 1 ? "layer" : "layers"}`, "", "", count(parameters), count(flops)],
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  const isNumber = (column: number) => column >= 3;
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)));
  return cells.map((row) => line(row).join("  ").trimEnd()).join("\n");
}
