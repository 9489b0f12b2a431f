import { lstm as apply, lstmWithState as applyWithState, type LstmState } from "../../../ops/recurrent/index.ts";
import type { LayerType, RecurrentLayer } from "../layer.ts";
import { recurrentConfig, recurrentLayer, recurrentOptions, type RecurrentLayerOptions } from "../recurrent.ts";

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997) over a sequence, with PyTorch's formulas and order of gates (i, f, g, o); see the op
 * `lstm`. The input is [length, width], and the output the last step's, [units], or with `sequences` those of all steps,
 * [length, units]. Parameters are `weight` [width, 4 · units], `recurrentWeight` [units, 4 · units], `bias` and
 * `recurrentBias` [4 · units]. With `bidirectional`, the output has 2 · units, and the backward direction's parameters are
 * `reverseWeight`, `reverseRecurrentWeight`, `reverseBias` and `reverseRecurrentBias`. In a functional model, `use` can give a state
 * to start from, and `useWithState` also returns the final one.
 * @param units the size of an output, at least 1
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if its input is not a sequence
 */
export const lstm = (units: number, options: RecurrentLayerOptions = {}): RecurrentLayer<LstmState> =>
  recurrentLayer({ type: "lstm", gates: 4, states: ["h", "c"], apply, applyWithState }, units, options);

export const layerType: LayerType = {
  ...recurrentOptions,
  fromConfig: (config) => lstm(...recurrentConfig(config)),
};
