/*
 * What the recurrent layers share.
 */
import type { Tensor } from "../../graph/tensor.ts";
import type { RecurrentOptions, RecurrentWeights } from "../../ops/recurrent/index.ts";
import { refuseOtherOptions } from "../../option-names.ts";
import { requireCount } from "../checks.ts";
import { fanInUniform, type Initializer } from "../initializers.ts";
import { requireBoolean } from "./affine.ts";
import { optionsOf, type Layer, type LayerConfig } from "./layer.ts";
import { sequenceShape } from "./sequences.ts";

/** The options of `layers.gru` and `layers.lstm`. */
export interface RecurrentLayerOptions {
  /** Whether to return the outputs of all steps, [length, units]; false, the default, returns the last one, [units]. */
  readonly sequences?: boolean;
  /** Whether the products with the input and with the output before have a bias; true by default. */
  readonly bias?: boolean;
  /** The initializer of both weights and biases; uniform in ±1/√units by default, as in PyTorch. */
  readonly weights?: Initializer;
}

/** A kind of recurrent layer. */
interface RecurrentKind {
  readonly type: string;
  readonly gates: number;
  readonly apply: (x: Tensor, weights: RecurrentWeights, options: RecurrentOptions) => Tensor;
}

/** @throws OptionError for an option outside its range */
export function recurrentLayer(kind: RecurrentKind, units: number, options: RecurrentLayerOptions): Layer {
  const { type, gates, apply } = kind;
  refuseOtherOptions(type, options, { sequences: true, bias: true, weights: true });
  const { sequences = false, bias = true, weights: initializer = fanInUniform } = options;
  requireCount(`${type} units`, units);
  requireBoolean(`${type} sequences`, sequences);
  requireBoolean(`${type} bias`, bias);
  return {
    config: { type, units, sequences, bias },
    build({ inputShape, parameter }) {
      const [length, width] = sequenceShape(type, inputShape);
      const columns = gates * units;
      const fans = { fanIn: units, fanOut: columns };
      const weights = {
        weight: parameter("weight", [width, columns], initializer, fans),
        recurrentWeight: parameter("recurrentWeight", [units, columns], initializer, fans),
        ...(bias && {
          bias: parameter("bias", [columns], initializer, fans),
          recurrentBias: parameter("recurrentBias", [columns], initializer, fans),
        }),
      };
      return {
        outputShape: sequences ? [length, units] : [units],
        apply: (x, { precision }) => apply(x, weights, { sequences, precision }),
      };
    },
  };
}

/** The options of the config of a recurrent layer. */
export const recurrentOptions = ["units", "sequences", "bias"];

/** The units and the options in a config. */
export function recurrentConfig(config: LayerConfig): [number, RecurrentLayerOptions] {
  const { units, ...options } = optionsOf(config);
  return [units as number, options];
}
