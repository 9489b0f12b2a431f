import { GraphError } from "../errors.ts";
import { foreignness, makerOf } from "./copy.ts";
import { isStored } from "./leaves.ts";
import { requireTensor, sameShape, Tensor } from "./tensor.ts";
import { isPack } from "./traits.ts";

/** Sets the target to the value at the end of a step. */
export interface Update {
  /** A parameter, a state, or a `pack` of them. */
  readonly target: Tensor;
  readonly value: Tensor;
}

/**
 * The computation of one step: named outputs, and new values for parameters and states. All values are computed from
 * the values of the leaves at the start of the step; the updates are applied together at its end.
 */
export interface Graph {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly updates: readonly Update[];
  /** All tensors that the outputs and updates depend on, in topological order. */
  readonly nodes: readonly Tensor[];
}

/** The graphs that this copy of wgrad made. */
const defined = new WeakSet<object>();

/**
 * Defines a graph from outputs and updates.
 *
 * @example
 * ```ts
 * const x = input("x", [4, 2]);
 * const weights = parameter("weights", [2, 1]);
 * const loss = mean(square(matmul(x, weights)));
 * const [gradient] = gradients(loss, [weights]);
 * const graph = defineGraph({ loss }, [{ target: weights, value: subtract(weights, multiply(gradient!, 0.1)) }]);
 * const executable = await session.compile(graph);
 * ```
 *
 * @throws GraphError if an output or update is not a tensor of this copy of wgrad, or if the target of an update is not
 * a parameter or state, has another shape, or is updated twice
 */
export function defineGraph(outputs: Readonly<Record<string, Tensor>>, updates: readonly Update[] = []): Graph {
  requireParts(outputs, updates);
  const seen = new Set<Tensor>();
  for (const { target, value } of updates) {
    if (!sameShape(target.shape, value.shape) || target.dtype !== value.dtype) {
      throw new GraphError({
        where: "update",
        what: `${target} cannot be set to ${value}`,
        fix: "The shapes must be equal",
      });
    }
    for (const leaf of updatedLeaves(target)) {
      if (!isStored(leaf)) {
        throw new GraphError({
          where: "update",
          what: `${leaf} is not stored between steps`,
          fix: "Update a parameter or a state",
        });
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
      what: `${String(outputs)} are not outputs`,
      fix: "Give an object of tensors, such as { loss }",
    });
  }
  if (!Array.isArray(updates)) {
    throw new GraphError({
      where,
      what: `${String(updates)} are not updates`,
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
 * Requires a graph that `defineGraph` of this copy of wgrad made.
 * @throws GraphError, which names both copies if another copy made it
 */
export function requireGraph(where: string, value: unknown): asserts value is Graph {
  if (typeof value === "object" && value !== null && defined.has(value)) return;
  const node = (value as Partial<Graph> | null | undefined)?.nodes?.[0];
  const maker = node instanceof Tensor ? undefined : makerOf(node);
  throw new GraphError({ where, ...foreignness("graph", value, maker, "Give a graph that defineGraph returned") });
}

/** The parameters and states that an update changes: the target itself, or the members of a pack. */
export function updatedLeaves(target: Tensor): readonly Tensor[] {
  return isPack(target) ? target.inputs : [target];
}

/**
 * All tensors that the roots depend on, each after its inputs. Iterative, so that deep graphs do not overflow the
 * stack.
 */
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
