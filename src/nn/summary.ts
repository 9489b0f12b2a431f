import { topologicalOrder } from "../graph/graph.ts";
import { nameOf } from "../graph/leaves.ts";
import type { Shape, Tensor } from "../graph/tensor.ts";
import { reductionOf } from "../graph/traits.ts";
import type { ElementwiseOp } from "../ops/elementwise/function.ts";
import { matrixProducts } from "../ops/matmul/index.ts";
import { alignedLines, count } from "../text.ts";
import type { AnyModel } from "./functional.ts";
import { parameterPrefix } from "./sequential.ts";
import { usesOf } from "./uses.ts";

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
  /** Floating-point operations for applying it to one example, in all its uses. */
  readonly flops: number;
}

/** A model's layers as a table. */
export interface ModelSummary {
  /** One row for each layer, in the order of their first uses. */
  readonly rows: readonly SummaryRow[];
  /** The number of elements of all parameters. */
  readonly parameters: number;
  /** The number of elements of the layers' states, such as running statistics. */
  readonly nonTrainable: number;
  /** Floating-point operations of the ops that the function of a functional model uses without a layer. */
  readonly otherFlops: number;
  /** All floating-point operations. */
  readonly flops: number;
  /**
   * The table as text: a header line, one line per layer, a line of totals, and, where they are not 0, lines for other ops
   * and non-trainable values.
   */
  readonly text: string;
}

/**
 * Describes the layers of a model of either kind: their output shapes, parameters and floating-point operations (FLOPs)
 * per example. FLOPs
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
export function summary(model: AnyModel): ModelSummary {
  const seen = new Set<Tensor>();
  /** The operations of the nodes that a tensor depends on and that were not counted yet. */
  const newFlops = (tensor: Tensor): number => {
    const nodes = topologicalOrder([tensor]).filter((node) => !seen.has(node));
    for (const node of nodes) seen.add(node);
    return nodes.reduce((total, node) => total + flopsOf(node), 0);
  };
  const { uses, outputs } = usesOf(model);
  const rows = new Map<string, SummaryRow>();
  let otherFlops = 0;
  for (const { name, config, input: x, output } of uses) {
    otherFlops += newFlops(x);
    const path = `${parameterPrefix(model.config)}layers.${name}`;
    const earlier = rows.get(name);
    rows.set(name, {
      name: path,
      type: config.type,
      outputShape: output.shape.slice(1),
      parameters: sizeBelow(model.parameters, path),
      flops: (earlier?.flops ?? 0) + newFlops(output),
    });
  }
  for (const output of outputs) otherFlops += newFlops(output);
  return summaryOf([...rows.values()], otherFlops, model.states);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function summaryOf(rows: readonly SummaryRow[], otherFlops: number, states: readonly Tensor[]): ModelSummary {
  const totals = {
    parameters: sum(rows.map(({ parameters }) => parameters)),
    nonTrainable: sum(states.map(({ size }) => size)),
    otherFlops,
    flops: sum(rows.map(({ flops }) => flops)) + otherFlops,
  };
  return { rows, ...totals, text: tableOf(rows, totals) };
}

const sizeBelow = (leaves: readonly Tensor[], layer: string): number =>
  sum(leaves.filter((leaf) => nameOf(leaf).startsWith(`${layer}.`)).map(({ size }) => size));

function flopsOf(node: Tensor): number {
  const [product] = matrixProducts({ nodes: [node] });
  if (product) return 2 * product.inner * node.size;
  const reduction = reductionOf(node);
  if (reduction) return reduction.outer * reduction.count * reduction.inner;
  const { kind, traits, row } = node.op as Partial<ElementwiseOp>;
  if (row) return (row.flops ?? 1) * node.size;
  // Pointwise ops without a function only move elements, and so do packs.
  return kind === "compute" && traits!.kind === "anchor" ? (traits!.flops?.(node) ?? node.size) : 0;
}

function tableOf(rows: readonly SummaryRow[], totals: Omit<ModelSummary, "rows" | "text">): string {
  const { parameters, nonTrainable, otherFlops, flops } = totals;
  const cells = [
    ["layer", "type", "output", "parameters", "FLOPs"],
    ...rows.map((row) => [
      row.name,
      row.type,
      `[${row.outputShape.join(", ")}]`,
      count(row.parameters),
      count(row.flops),
    ]),
    ...(otherFlops > 0 ? [["other ops", "", "", "", count(otherFlops)]] : []),
    [`${rows.length} ${rows.length === 1 ? "layer" : "layers"}`, "", "", count(parameters), count(flops)],
    ...(nonTrainable > 0 ? [["non-trainable", "", "", count(nonTrainable), ""]] : []),
  ];
  return alignedLines(cells, (column) => column >= 3).join("\n");
}
