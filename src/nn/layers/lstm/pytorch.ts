import type { PytorchForm } from "../forms.ts";
import { recurrentModule } from "../recurrent-pytorch.ts";

export const pytorch: PytorchForm = (config, place) => [
  recurrentModule({ module: "LSTM", state: "(h, _)" }, config, place),
];
