import { GraphError } from "../errors.ts";
import { isStored, parameterOp, requireDistinctNames } from "./leaves.ts";
import { sameShape, type Tensor } from "./tensor.ts";

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

/**
 * Collects outputs and updates into a graph.
 * @throws GraphError where an update's target is no stored leaf, has another shape, or is updated twice; and where two
 * different parameters have one name
 */
export function defineGraph(outputs: Readonly<Record<string, Tensor>>, updates: readonly Update[] = []): Graph {
  const seen = new Set<Tensor>();
  for (const { target, value } of updates) {
    if (!sameShape(target.shape, value.shape) || target.dtype !== value.dtype) {
      throw new GraphError({ where: "update", what: `${target} cannot take the value ${value}`, fix: "Shapes must agree" });
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
  const nodes = topologicalOrder(roots);
  requireDistinctNames("graph", nodes.filter(({ op }) => op === parameterOp));
  return { outputs, updates, nodes };
}

/** The stored leaves that an update writes: the target itself, or the members of a pack. */
export function updatedLeaves(target: Tensor): readonly Tensor[] {
  return target.op.name === "pack" ? target.inputs : [target];
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
