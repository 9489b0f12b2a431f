import type { PytorchOpForm } from "../forms.ts";

export const pytorch: Readonly<Record<string, PytorchOpForm>> = {
  softmax: ([x]) => `${x}.softmax(-1)`,
  logSoftmax: ([x]) => `${x}.log_softmax(-1)`,
};
