/*
 * Rewrites the graph of a model of sequences so that a step computes a single position. Values of earlier positions that
 * it needs, such as the keys and values of attention, are kept in states: the key-value cache.
 */
import { topologicalOrder, type Update } from "../../graph/graph.ts";
import { state } from "../../graph/leaves.ts";
import { sameShape, sizeOf, Tensor, type Shape } from "../../graph/tensor.ts";
import { reductionOf } from "../../graph/traits.ts";
import { plainAttention } from "../../ops/attention/index.ts";
import type { FusedAttributes } from "../../ops/attention/fused.ts";
import { equal, lessEqual, select, toFloat } from "../../ops/elementwise/index.ts";
import { broadcastShapes } from "../../ops/elementwise/function.ts";
import { isSameAxis } from "../../ops/indexing/axis-map.ts";
import { pad, type MoveAttributes } from "../../ops/indexing/move.ts";
import { take, type TakeAttributes } from "../../ops/indexing/take.ts";
import {
  axisIndex,
  broadcastTo,
  reshape,
  transpose,
  type AxisIndexAttributes,
  type TransposeAttributes,
} from "../../ops/layout/index.ts";
import { matmul, type MatmulAttributes } from "../../ops/matmul/index.ts";

/** A graph that computes one position. */
export interface OnePosition {
  /** The output at the position: its axis of positions has size 1. */
  readonly output: Tensor;
  /** The states of the cache. They have zeros before the first position. */
  readonly caches: readonly Tensor[];
  /** Store the position in the caches. */
  readonly updates: readonly Update[];
}

/** What the graph computes, and the index of the position in a sequence. */
interface Rewriting {
  /** The tokens, [1, positions], which the output depends on. */
  readonly tokens: Tensor;
  /** [1, positions, ...]. */
  readonly output: Tensor;
  /** A uint32 scalar. */
  readonly position: Tensor;
}

/**
 * The graph of one position; undefined if an op mixes positions in a way that has no rule here, other than as the right
 * operand of a product. Positions must not depend on later ones.
 */
export function onePosition(rewriting: Rewriting): OnePosition | undefined {
  try {
    return new Rewriter(rewriting).rewrite();
  } catch (error) {
    if (error === NO_RULE) return undefined;
    throw error;
  }
}

const NO_RULE = new Error("no rule");

/** Ops that compute each row of the last axis by itself. */
const ROW_OPS = new Set(["softmax", "logSoftmax", "rowMoments"]);

/** A node at one position. */
interface Row {
  /** As the node, with size 1 along the axis of positions. */
  readonly value: Tensor;
  /** The axis of positions. */
  readonly axis: number;
}

const withSize = (shape: Shape, axis: number, size: number): Shape =>
  shape.map((own, place) => (place === axis ? size : own));

class Rewriter {
  readonly #given: Rewriting;
  readonly #count: number;
  /** The position as indices, [1]. */
  readonly #index: Tensor;
  /** The nodes that depend on the tokens, in order. */
  readonly #rows = new Map<Tensor, Row>();
  readonly #caches = new Map<Tensor, { readonly leaf: Tensor; readonly full: Tensor }>();

  constructor(given: Rewriting) {
    this.#given = given;
    this.#count = given.tokens.shape[1]!;
    this.#index = reshape(given.position, [1]);
    this.#rows.set(given.tokens, { value: take(given.tokens, this.#index, { axis: 1 }), axis: 1 });
  }

  rewrite(): OnePosition {
    const { output } = this.#given;
    for (const node of topologicalOrder([output])) {
      if (this.#rows.has(node) || !node.inputs.some((tensor) => this.#rows.has(tensor))) continue;
      this.#rows.set(node, this.#rowOf(node));
    }
    const row = this.#rows.get(output);
    if (row?.axis !== 1) throw NO_RULE;
    const caches = [...this.#caches.values()];
    return {
      output: row.value,
      caches: caches.map(({ leaf }) => leaf),
      updates: caches.map(({ leaf, full }) => ({ target: leaf, value: full })),
    };
  }

  #rowOf(node: Tensor): Row {
    const { op, inputs } = node;
    const [first] = inputs as [Tensor];
    if (op.kind === "compute" && op.kernel === "elementwise") return this.#elementwise(node);
    if (op.name === "take") return this.#take(node);
    if (op.name === "matmul") return this.#product(node);
    if (op.name === "attention") return this.#attention(node);
    const row = this.#rows.get(first);
    // Such as a normalization, whose other inputs are for its gradient.
    if (row && op.kind === "view" && sameShape(node.shape, first.shape)) return row;
    if (!row || inputs.length !== 1) throw NO_RULE;
    if (op.name === "reshape") return this.#reshaped(node, row);
    if (op.name === "transpose") {
      const { order } = node.attributes as TransposeAttributes;
      return { value: transpose(row.value, order), axis: order.indexOf(row.axis) };
    }
    if (op.name === "broadcastTo") {
      const axis = row.axis + node.shape.length - first.shape.length;
      return { value: broadcastTo(row.value, withSize(node.shape, axis, 1)), axis };
    }
    return this.#sameAxis(node, row);
  }

  /** Ops that keep the axis of positions where it is, and treat each position alike. */
  #sameAxis(node: Tensor, { value, axis }: Row): Row {
    const { op, attributes, dtype } = node;
    const shape = withSize(node.shape, axis, 1);
    const made = (own: object) => ({ value: new Tensor(op, [value], own, { shape, dtype }), axis });
    if (op.name === "toIndex") return made(attributes);
    if (ROW_OPS.has(op.name) && axis !== node.shape.length - 1) return made(attributes);
    if (op.kind === "compute" && op.kernel === "move") {
      const { maps } = attributes as MoveAttributes;
      if (isSameAxis(maps[axis]!, this.#count, node.shape[axis]!)) return made(attributes);
    }
    const reduction = reductionOf(node);
    if (!reduction || node.shape[axis] !== this.#count) throw NO_RULE;
    const { outer, count, inner } = reduction;
    // The reduced axes are one run: the axis of positions is before or after it.
    const isBefore = sizeOf(node.inputs[0]!.shape.slice(0, axis + 1)) <= outer;
    return made(isBefore ? { outer: outer / this.#count, count, inner } : { outer, count, inner: inner / this.#count });
  }

  #elementwise({ op, inputs, attributes, shape, dtype }: Tensor): Row {
    const axes = inputs.flatMap((tensor) => {
      const row = this.#rows.get(tensor);
      return row ? [row.axis + shape.length - tensor.shape.length] : [];
    });
    const axis = axes[0]!;
    if (axes.some((other) => other !== axis)) throw NO_RULE;
    const values = inputs.map(
      (tensor) => this.#rows.get(tensor)?.value ?? this.#part(tensor, axis - shape.length + tensor.shape.length),
    );
    return { value: new Tensor(op, values, attributes, { shape: broadcastShapes(op.name, values), dtype }), axis };
  }

  /** The part of a tensor that does not depend on the tokens, at the position along an axis. */
  #part(tensor: Tensor, axis: number): Tensor {
    const { op, shape, inputs, attributes, dtype } = tensor;
    if (axis < 0 || shape[axis] === 1) return tensor;
    if (op.name === "axisIndex") {
      const { inner } = attributes as AxisIndexAttributes;
      const own = shape.findIndex((size, place) => size > 1 && sizeOf(shape.slice(place + 1)) === inner);
      const rest = withSize(shape, axis, 1);
      return own === axis
        ? reshape(
            this.#index,
            rest.map(() => 1),
          )
        : axisIndex(rest, own);
    }
    if (op.kind === "compute" && op.kernel === "elementwise") {
      const values = inputs.map((input) => this.#part(input, axis - shape.length + input.shape.length));
      return new Tensor(op, values, attributes, { shape: broadcastShapes(op.name, values), dtype });
    }
    return take(tensor, this.#index, { axis });
  }

  #take({ inputs, attributes }: Tensor): Row {
    const [table, indices] = inputs as [Tensor, Tensor];
    const row = this.#rows.get(indices);
    if (!row || this.#rows.has(table) || (attributes as TakeAttributes).outer !== 1) throw NO_RULE;
    return { value: take(table, row.value), axis: row.axis };
  }

  /** A product of the rows of positions. The right operand may have all positions, which the cache has. */
  #product({ inputs, attributes, shape }: Tensor): Row {
    const [left, right] = inputs as [Tensor, Tensor];
    const { transposeLeft, transposeRight, precision } = attributes as MatmulAttributes;
    const row = this.#rows.get(left);
    if (!row || transposeLeft || row.axis !== left.shape.length - 2) throw NO_RULE;
    const value = matmul(row.value, this.#full(right), { transposeRight, precision });
    return { value, axis: shape.length - 2 };
  }

  /** A causal attention of one query. The statistics in its result, which only gradients read, are 0. */
  #attention({ inputs, attributes, shape }: Tensor): Row {
    const [q, k, v] = inputs as [Tensor, Tensor, Tensor];
    const { causal, mask, drops, keys } = attributes as FusedAttributes;
    const row = this.#rows.get(q);
    if (!row || !causal || mask || drops || row.axis !== q.shape.length - 2) throw NO_RULE;
    const allowed = lessEqual(toFloat(axisIndex([keys], 0)), toFloat(this.#given.position));
    const value = plainAttention(row.value, this.#full(k), this.#full(v), { mask: allowed });
    const last = shape.length - 1;
    const statistics = shape.map((size, axis): [number, number] => [0, axis === last ? size - value.shape[last]! : 0]);
    return { value: pad(value, statistics), axis: row.axis };
  }

  /** A tensor with all positions so far. */
  #full(tensor: Tensor): Tensor {
    const row = this.#rows.get(tensor);
    if (!row) return tensor;
    const known = this.#caches.get(tensor);
    if (known) return known.full;
    const leaf = state(`cache.${this.#caches.size}`, tensor.shape);
    const places = axisIndex(
      tensor.shape.map((size, axis) => (axis === row.axis ? size : 1)),
      row.axis,
    );
    const full = select(equal(places, this.#given.position), row.value, leaf);
    this.#caches.set(tensor, { leaf, full });
    return full;
  }

  /** The axis of positions is the one of its size before which there are as many elements. */
  #reshaped({ shape, inputs }: Tensor, { value, axis }: Row): Row {
    const before = sizeOf(inputs[0]!.shape.slice(0, axis));
    const own = shape.findIndex((size, place) => size === this.#count && sizeOf(shape.slice(0, place)) === before);
    if (own < 0) throw NO_RULE;
    return { value: reshape(value, withSize(shape, own, 1)), axis: own };
  }
}
