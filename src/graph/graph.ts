import { GraphError } from "../errors.ts";
import { foreignness, makerOf } from "./copy.ts";
import { isStored } from "./leaves.ts";
import { requireTensor, sameShape, Tensor } from "./tensor.ts";
import { isPack } from "./traits.ts";

/** At the end of a step the target holds the value. */
export interface Update {
  /** A parameter or state, or a `pack` of them. */
  readonly target: Tensor;
  readonly value: Tensor;
}

/**
 * What one step computes: named outputs, and new values for parameters and states. Every value is computed from
 * what the leaves held when the step began; the updates happen together at its end.
 */
export interface Graph {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly updates: readonly Update[];
  /** Every tensor that the outputs and updates need, each after its inputs. */
  readonly nodes: readonly Tensor[];
}

/** The graphs that this copy of wgrad made. */
const defined = new WeakSet<object>();

/**
 * Collects outputs and updates into a graph.
 * @throws GraphError where an output or update is no tensor of this copy of wgrad, or an update's target is no stored
 * leaf, has another shape, or is updated twice
 */
export function defineGraph(outputs: Readonly<Record<string, Tensor>>, updates: readonly Update[] = []): Graph {
  requireParts(outputs, updates);
  const seen = new Set<Tensor>();
  for (const { target, value } of updates) {
    if (!sameShape(target.shape, value.shape) || target.dtype !== value.dtype) {
      throw new GraphError({
        where: "update",
        what: `${target} cannot take the value ${value}`,
        fix: "Shapes must agree",
      });
    }
    for (const leaf of updatedLeaves(target)) {
      if (!isStored(leaf)) {
        throw new GraphError({ where: "update", what: `${leaf} keeps no value`, fix: "Update a parameter or a state" });
      }
      if (seen.has(leaf)) {
        throw new GraphError({ where: "update", what: `${leaf} is updated twice`, fix: "Update each leaf once" });
      }
      seen.add(leaf);
    }
  }
  const roots = [...Object.values(outputs), ...updates.flatMap(({ target, value }) => [value, target])];
  const graph = { outputs, updates, nodes: topologicalOrder(roots) };
  defined.add(graph);
  return graph;
}

function requireParts(outputs: unknown, updates: unknown): void {
  const where = "defineGraph";
  if (typeof outputs !== "object" || outputs === null || Array.isArray(outputs)) {
    throw new GraphError({
      where,
      what: `${String(outputs)} are no outputs`,
      fix: "Give tensors by name, such as { loss }",
    });
  }
  if (!Array.isArray(updates)) {
    throw new GraphError({
      where,
      what: `${String(updates)} are no updates`,
      fix: "Give an array of { target, value }",
    });
  }
  for (const [name, output] of Object.entries(outputs)) requireTensor(`output ${name}`, output);
  for (const update of updates as (Partial<Update> | null | undefined)[]) {
    requireTensor("update target", update?.target);
    requireTensor("update value", update?.value);
  }
}

/**
 * Refuses anything but a graph that `defineGraph` of this copy of wgrad made.
 * @throws GraphError that names both copies where another one made it
 */
export function requireGraph(where: string, value: unknown): asserts value is Graph {
  if (typeof value === "object" && value !== null && defined.has(value)) return;
  const node = (value as Partial<Graph> | null | undefined)?.nodes?.[0];
  const maker = node instanceof Tensor ? undefined : makerOf(node);
  throw new GraphError({ where, ...foreignness("graph", value, maker, "Give what defineGraph returns") });
}

/** The stored leaves that an update writes: the target itself, or the members of a pack. */
export function updatedLeaves(target: Tensor): readonly Tensor[] {
  return isPack(target) ? target.inputs : [target];
}

/** Every tensor the roots need, each after its inputs. Iterative, so that deep graphs do not exhaust the stack. */
export function topologicalOrder(roots: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const entered = new Set<Tensor>();
  const done = new Set<Tensor>();
  const stack = [...roots].reverse();
  while (stack.length > 0) {
    const tensor = stack[stack.length - 1]!;
    if (entered.has(tensor)) {
      stack.pop();
      if (!done.has(tensor)) {
        done.add(tensor);
        order.push(tensor);
      }
      continue;
    }
    entered.add(tensor);
    for (let position = tensor.inputs.length - 1; position >= 0; position--) {
      const needed = tensor.inputs[position]!;
      if (!entered.has(needed)) stack.push(needed);
    }
  }
  return order;
}
