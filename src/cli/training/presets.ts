/*
 * The networks of --preset, and the training options that suit them.
 */
import type { ScheduleName } from "../options/options.ts";

export type PresetName = keyof typeof presets;

/** The sizes of a GPT; see `models.gpt`. */
interface GptSizes {
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
}

/** A network for `outputs` classes or targets, or for text, and defaults of other options. */
interface Preset {
  /** The layers as a text; undefined for the network of --hidden, --activation and --dropout, and for a GPT. */
  readonly layers?: (outputs: number) => string;
  /** For text. */
  readonly gpt?: GptSizes;
  readonly defaults: Readonly<{
    lr?: number;
    schedule?: ScheduleName;
    rise?: number;
    batch?: number;
    clipNorm?: number;
  }>;
}

/** A convolution with window 3, batch normalization and relu. The normalization makes a bias useless. */
const block = (outputs: number, options = "") => `conv ${outputs} 3x3${options} bias=false, batchnorm, relu`;

/** A residual block of two convolutions, as in He, Zhang, Ren and Sun 2015. A stride other than 1 needs a projection. */
function residualBlock(outputs: number, stride = 1): string {
  const first = block(outputs, stride === 1 ? " padding=same" : ` stride=${stride} padding=same`);
  const second = `conv ${outputs} 3x3 padding=same bias=false, batchnorm`;
  const projection = stride === 1 ? "" : ` projection=(conv ${outputs} 1x1 stride=${stride} bias=false, batchnorm)`;
  return `residual(${first}, ${second})${projection}, relu`;
}

/** A one-cycle rate with a high maximum: with batch normalization, it reaches a higher accuracy in few epochs. */
const oneCycle = { batch: 128, lr: 0.01, schedule: "oneCycle", rise: 0.2 } as const;

/** The defaults for text, as nanoGPT's for characters on a CPU. */
export const textDefaults = { batch: 12, lr: 0.001, clipNorm: 1 } as const;

/** The sizes of minGPT's networks of these names. */
const gpt = (layers: number, heads: number, width: number) =>
  ({ gpt: { layers, heads, width }, defaults: textDefaults }) as const;

export const presets = {
  mlp: { defaults: {} },
  cnn: {
    layers: (outputs) =>
      [
        block(16),
        block(16),
        "maxpool 2",
        block(32),
        block(32),
        "maxpool 2",
        block(64, " padding=same"),
        "flatten",
        `dense ${outputs}`,
      ].join(", "),
    defaults: oneCycle,
  },
  resnet: {
    layers: (outputs) =>
      [
        block(16, " padding=same"),
        residualBlock(16),
        residualBlock(32, 2),
        residualBlock(64, 2),
        "globalavgpool",
        `dense ${outputs}`,
      ].join(", "),
    defaults: oneCycle,
  },
  "gpt-nano": gpt(3, 3, 48),
  "gpt-micro": gpt(4, 4, 128),
  "gpt-mini": gpt(6, 6, 192),
} as const satisfies Readonly<Record<string, Preset>>;

/** The layers of a preset as a text; undefined for the network of --hidden, --activation and --dropout. */
export function presetLayers(name: PresetName | undefined, outputs: number): string | undefined {
  const preset: Preset | undefined = name && presets[name];
  return preset?.layers?.(outputs);
}

/** The sizes of a preset for text; undefined for other presets. */
export function presetGpt(name: PresetName | undefined): GptSizes | undefined {
  const preset: Preset | undefined = name && presets[name];
  return preset?.gpt;
}
