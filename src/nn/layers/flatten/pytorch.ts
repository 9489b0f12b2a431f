import type { PytorchForm } from "../forms.ts";

export const pytorch: PytorchForm = {
  // The code around the network already flattens the examples before the first layer.
  modules: (_, { index }) => (index === 0 ? [] : [{ code: "nn.Flatten()" }]),
};
