/*
 * Rewrites the graph of a model of sequences so that a step computes a single position. Values of earlier positions that
 * it needs, such as the keys and values of attention, are kept in states: the key-value cache.
 */
import { topologicalOrder, type Update } from "../../graph/graph.ts";
import { state } from "../../graph/leaves.ts";
import { sameShape, type Op, type Tensor } from "../../graph/tensor.ts";
import { equal, select } from "../../ops/elementwise/index.ts";
import { take } from "../../ops/indexing/take.ts";
import { axisIndex, reshape } from "../../ops/layout/index.ts";
import type { PositionRule, PositionRules, Row, Sequence } from "../../ops/position-rule.ts";

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

/* @__NO_SIDE_EFFECTS__ */
const joined = (files: Readonly<Record<string, PositionRules>>): ReadonlyMap<string, PositionRule> =>
  new Map(Object.values(files).flatMap((rules) => Object.entries(rules)));

const rules = joined(import.meta.glob("../../ops/*/position.ts", { eager: true, import: "positionRules" }));

const ruleOf = ({ kernel, name }: Op): PositionRule | undefined => rules.get(kernel ?? name);

/**
 * The graph of one position; undefined if an op mixes positions in a way that has no rule, other than as the right
 * operand of a product. Positions must not depend on later ones.
 */
export function onePosition({ tokens, output, position }: Rewriting): OnePosition | undefined {
  const sequence = new RewrittenSequence(tokens, position);
  for (const node of topologicalOrder([output])) if (!sequence.add(node)) return undefined;
  const row = sequence.rowOf(output);
  if (row?.axis !== 1) return undefined;
  const caches = [...sequence.caches.values()];
  return {
    output: row.value,
    caches: caches.map(({ leaf }) => leaf),
    updates: caches.map(({ leaf, whole }) => ({ target: leaf, value: whole })),
  };
}

/** The parts of a graph at one position. */
class RewrittenSequence implements Sequence {
  readonly count: number;
  readonly position: Tensor;
  readonly index: Tensor;
  readonly caches = new Map<Tensor, { readonly leaf: Tensor; readonly whole: Tensor }>();
  /** The nodes that depend on the tokens, in order. */
  readonly #rows = new Map<Tensor, Row>();

  constructor(tokens: Tensor, position: Tensor) {
    this.count = tokens.shape[1]!;
    this.position = position;
    this.index = reshape(position, [1]);
    this.#rows.set(tokens, { value: take(tokens, this.index, { axis: 1 }), axis: 1 });
  }

  /** Adds a node whose inputs were added before. @returns false if there is no rule for it */
  add(node: Tensor): boolean {
    if (this.#rows.has(node) || !node.inputs.some((tensor) => this.#rows.has(tensor))) return true;
    const row = this.#made(node);
    if (row) this.#rows.set(node, row);
    return row !== undefined;
  }

  #made(node: Tensor): Row | undefined {
    const [first] = node.inputs as [Tensor];
    // Such as a normalization, whose other inputs are for its gradient.
    const isSame = node.op.kind === "view" && sameShape(node.shape, first.shape);
    const own = isSame ? this.rowOf(first) : undefined;
    return own ?? ruleOf(node.op)?.row?.(node, this);
  }

  readonly rowOf = (tensor: Tensor): Row | undefined => this.#rows.get(tensor);

  readonly whole = (tensor: Tensor): Tensor => {
    const row = this.#rows.get(tensor);
    if (!row) return tensor;
    const known = this.caches.get(tensor);
    if (known) return known.whole;
    const leaf = state(`cache.${this.caches.size}`, tensor.shape);
    const places = axisIndex(
      tensor.shape.map((size, axis) => (axis === row.axis ? size : 1)),
      row.axis,
    );
    const whole = select(equal(places, this.position), row.value, leaf);
    this.caches.set(tensor, { leaf, whole });
    return whole;
  };

  readonly part = (tensor: Tensor, axis: number): Tensor => {
    if (axis < 0 || tensor.shape[axis] === 1) return tensor;
    return ruleOf(tensor.op)?.part?.(tensor, axis, this) ?? take(tensor, this.index, { axis });
  };
}
