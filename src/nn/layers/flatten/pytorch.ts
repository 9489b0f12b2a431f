import type { PytorchForm } from "../forms.ts";

// The code around the network already flattens the examples before the first layer.
export const pytorch: PytorchForm = (_, { isFirst }) => (isFirst ? [] : [{ code: "nn.Flatten()" }]);
