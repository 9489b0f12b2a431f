import type { PytorchForm } from "../forms.ts";

export const pytorch: PytorchForm = { modules: ({ rate }) => [{ code: `nn.Dropout(${rate as number})` }] };
