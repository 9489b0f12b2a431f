import { input } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { AnyModel, LayerUse } from "./functional.ts";
import { isFunctional } from "./is-functional.ts";
import type { LayerConfig } from "./layers/layer.ts";

/** A use of a layer in a model of either kind. The name of a sequential model's layer is its position. */
export interface ConfiguredUse extends LayerUse {
  readonly config: LayerConfig;
}

/** The uses of a model's layers for a batch of one example, in order, and the outputs of the model. */
export function usesOf(model: AnyModel): {
  readonly uses: readonly ConfiguredUse[];
  readonly outputs: readonly Tensor[];
} {
  if (isFunctional(model)) {
    const { inputs, config } = model;
    const example = Object.entries(inputs).map(([name, { shape, dtype }]) => [name, input(name, [1, ...shape], dtype)]);
    const { uses, outputs } = model.applyEach(Object.fromEntries(example));
    return {
      uses: uses.map((use) => ({ ...use, config: config.layers[use.name]! })),
      outputs: Object.values(outputs),
    };
  }
  const example = input("example", [1, ...model.inputShape]);
  const outputs = model.applyEach(example);
  const uses = outputs.map((output, index) => {
    const config = model.config.layers[index]!;
    return { name: String(index), config, input: outputs[index - 1] ?? example, output };
  });
  return { uses, outputs: outputs.slice(-1) };
}
