import type { PytorchForm } from "../forms.ts";

export const pytorch: PytorchForm = ({ layers }, { chain }) => [chain(layers)];
