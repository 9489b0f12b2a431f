import { gru as apply, gruWithState as applyWithState, type GruState } from "../../../ops/recurrent/index.ts";
import type { LayerType, RecurrentLayer } from "../layer.ts";
import { recurrentConfig, recurrentLayer, recurrentOptions, type RecurrentLayerOptions } from "../recurrent.ts";

/**
 * A gated recurrent unit (Cho et al. 2014) over a sequence, with PyTorch's formulas and order of gates (r, z, n); see the op
 * `gru`. The input is [length, width], and the output the last step's, [units], or with `sequences` those of all steps,
 * [length, units]. Parameters are `weight` [width, 3 · units], `recurrentWeight` [units, 3 · units], `bias` and
 * `recurrentBias` [3 · units]. With `bidirectional`, the output has 2 · units, and the backward direction's parameters are
 * `reverseWeight`, `reverseRecurrentWeight`, `reverseBias` and `reverseRecurrentBias`. In a functional model, `use` can give a state
 * to start from, and `useWithState` also returns the final one.
 * @param units the size of an output, at least 1
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if its input is not a sequence
 */
export const gru = (units: number, options: RecurrentLayerOptions = {}): RecurrentLayer<GruState> =>
  recurrentLayer({ type: "gru", gates: 3, states: ["h"], apply, applyWithState }, units, options);

export const layerType: LayerType = {
  ...recurrentOptions,
  fromConfig: (config) => gru(...recurrentConfig(config)),
};
