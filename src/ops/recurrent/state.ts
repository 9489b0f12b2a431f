import { GraphError } from "../../errors.ts";
import { requireType, sameShape, Tensor, type Shape } from "../../graph/tensor.ts";

/** The state of a GRU after a step. */
export interface GruState {
  /** The output of the step, float32 [batch, units]. */
  readonly h: Tensor;
}

/** The state of an LSTM after a step. */
export interface LstmState extends GruState {
  /** The cell, float32 [batch, units]. */
  readonly c: Tensor;
}

/**
 * The tensors of a state.
 * @param names of all of them
 * @param shape of each
 * @throws GraphError for a state with other names, or a tensor of another shape
 */
export function tensorsOfState(where: string, state: GruState, names: readonly string[], shape: Shape): Tensor[] {
  const given: Readonly<Record<string, Tensor>> = { ...state };
  const found = Object.keys(given);
  const fix = `Give { ${names.join(", ")} }, float32[${shape.join(", ")}] each`;
  if (found.toSorted().join() !== names.toSorted().join()) {
    const what = `its state is ${state instanceof Tensor ? String(state) : `{ ${found.join(", ")} }`}`;
    throw new GraphError({ where, what, fix });
  }
  return names.map((name) => {
    const tensor = given[name]!;
    requireType(`${where} state`, tensor, "float32");
    if (sameShape(tensor.shape, shape)) return tensor;
    throw new GraphError({ where, what: `the ${name} of its state is ${tensor}`, fix });
  });
}
