import type { PytorchForm } from "../forms.ts";

export const pytorch: PytorchForm = ({ rate }) => [{ code: `nn.Dropout(${rate as number})`, elementwise: true }];
