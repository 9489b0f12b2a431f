import type { Tensor } from "../../../graph/tensor.ts";
import { multiply } from "../../../ops/elementwise/index.ts";
import { rectifiers, type CustomActivation } from "../../activations.ts";
import { heNormal, xavierUniform, type Initializer } from "../../initializers.ts";
import type { ApplyOptions, LayerContext } from "../layer.ts";
import { linear } from "../sequences.ts";

interface FeedForwardOptions {
  readonly hidden: number;
  readonly activation: CustomActivation;
  readonly gated: boolean;
  readonly bias: boolean;
  readonly weights?: Initializer;
  readonly outputWeights?: Initializer;
}

/** The feed-forward layers of a block: output(activation(hidden(x))), or output(activation(gate(x)) · hidden(x)). */
export function feedForwardOf(options: FeedForwardOptions) {
  const { hidden, activation, gated, bias, outputWeights = xavierUniform } = options;
  const weights = options.weights ?? (rectifiers.has(activation.name) ? heNormal : xavierUniform);
  return (context: LayerContext, width: number) => {
    const wide = { inputs: width, outputs: hidden, bias, initializer: weights };
    const expand = linear(context, { ...wide, prefix: "hidden." });
    const gate = gated ? linear(context, { ...wide, prefix: "gate." }) : undefined;
    const narrow = { inputs: hidden, outputs: width, bias, initializer: outputWeights };
    const contract = linear(context, { ...narrow, prefix: "output." });
    return (x: Tensor, applied: Required<ApplyOptions>): Tensor => {
      const units = expand(x, applied);
      return contract(gate ? multiply(activation.apply(gate(x, applied)), units) : activation.apply(units), applied);
    };
  };
}
