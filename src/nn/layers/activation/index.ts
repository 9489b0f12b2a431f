import { activationOf, type ActivationName, type CustomActivation } from "../../activations.ts";
import type { Layer, LayerType } from "../layer.ts";

/**
 * A layer that applies an activation to each element; see `activations` for the names.
 * @throws OptionError for an unknown name, or for an invalid custom activation
 */
export function activation(given: ActivationName | CustomActivation): Layer {
  const chosen = activationOf("activation layer", given);
  return {
    config: { type: "activation", name: chosen.name },
    activation: chosen.name,
    build: ({ inputShape }) => ({ outputShape: inputShape, apply: (x) => chosen.apply(x) }),
  };
}

export const layerType: LayerType = {
  options: ["name"],
  fromConfig: ({ name }, resolver) => activation(resolver.activation(name)),
  summarize: ({ name }) => ({ activation: name as string }),
};
