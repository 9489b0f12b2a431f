import type { PytorchForm } from "../forms.ts";

// The generated code already flattens the examples before the first layer.
export const pytorch: PytorchForm = (_, { isFirst }) => (isFirst ? [] : [{ code: "nn.Flatten()" }]);
