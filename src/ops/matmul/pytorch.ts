import type { PytorchOpForm } from "../forms.ts";
import type { MatmulAttributes } from "./index.ts";

export const pytorch: Readonly<Record<string, PytorchOpForm>> = {
  matmul([left, right], { attributes }) {
    const { transposeLeft, transposeRight } = attributes as MatmulAttributes;
    return `(${left}${transposeLeft ? ".mT" : ""} @ ${right}${transposeRight ? ".mT" : ""})`;
  },
};
