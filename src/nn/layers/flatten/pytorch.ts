import type { PytorchForm } from "../forms.ts";

export const pytorch: PytorchForm = {
  // The code that applies the network flattens the examples before the first layer.
  modules: (_, { index }) => (index === 0 ? [] : [{ code: "nn.Flatten()" }]),
};
