import { tensorCode, type PytorchOpForm } from "../forms.ts";
import type { ToIndexOptions } from "./index.ts";

export const pytorch: Readonly<Record<string, PytorchOpForm>> = {
  toIndex([x], { attributes }) {
    const { below } = attributes as ToIndexOptions;
    return `${tensorCode(x!)}.clamp(0${below === undefined ? "" : `, ${below - 1}`}).long()`;
  },
};
