import type { CpuKernel } from "../kernel.ts";
import type { RowMomentsAttributes } from "./index.ts";

const rowMoments: CpuKernel = (node, [x], output) => {
  const { epsilon } = node.attributes as RowMomentsAttributes;
  const width = node.inputs[0]!.shape.at(-1)!;
  for (let row = 0; row < output.length / 2; row++) {
    let mean = 0;
    for (let i = 0; i < width; i++) mean += x![row * width + i]! / width;
    let variance = 0;
    for (let i = 0; i < width; i++) variance += (x![row * width + i]! - mean) ** 2 / width;
    output.set([mean, 1 / Math.sqrt(variance + epsilon)], 2 * row);
  }
};

const layerNormGradient: CpuKernel = (node, [x, moments, upstream, weight], output) => {
  const width = node.shape.at(-1)!;
  for (let row = 0; row < output.length / width; row++) {
    const first = row * width;
    const [mean, scale] = [moments![2 * row]!, moments![2 * row + 1]!];
    const slopeAt = (i: number) => upstream![first + i]! * (weight?.[i] ?? 1);
    const normalizedAt = (i: number) => (x![first + i]! - mean) * scale;
    let [slope, correlation] = [0, 0];
    for (let i = 0; i < width; i++) {
      slope += slopeAt(i) / width;
      correlation += (slopeAt(i) * normalizedAt(i)) / width;
    }
    for (let i = 0; i < width; i++) output[first + i] = scale * (slopeAt(i) - slope - normalizedAt(i) * correlation);
  }
};

export const kernels = { rowMoments, layerNormGradient };
