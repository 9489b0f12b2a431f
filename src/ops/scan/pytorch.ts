import type { PytorchOpForm } from "../forms.ts";
import type { ScanAttributes } from "./index.ts";

export const pytorch: Readonly<Record<string, PytorchOpForm>> = {
  cumulativeSum: ([x], { attributes }) => `${x}.cumsum(${(attributes as ScanAttributes).axis})`,
};
