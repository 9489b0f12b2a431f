import type { CpuKernel } from "../kernel.ts";
import type { DepthwiseAttributes, DepthwiseConvolutionAttributes } from "./depthwise.ts";
import type { PatchesAttributes } from "./patches.ts";
import { elementOf } from "./windows.ts";

const patches: CpuKernel = (node, [image], output) => {
  const { image: sizes, windows, fill, groups } = node.attributes as PatchesAttributes;
  const [examples, height, width, channels] = sizes;
  const { kernel, count } = windows;
  const own = channels / groups;
  let index = 0;
  for (let group = 0; group < groups; group++)
    for (let example = 0; example < examples; example++)
      for (let row = 0; row < count[0]; row++)
        for (let column = 0; column < count[1]; column++)
          for (let down = 0; down < kernel[0]; down++)
            for (let across = 0; across < kernel[1]; across++) {
              const y = elementOf(windows, 0, row, down, height);
              const x = elementOf(windows, 1, column, across, width);
              const first = ((example * height + y) * width + x) * channels + group * own;
              for (let channel = 0; channel < own; channel++)
                output[index++] = y < 0 || x < 0 ? fill : image![first + channel]!;
            }
};

/**
 * Calls `visit` for each element of an image that is at a position in a window: the window and the position in row-major
 * order, and the element's first channel.
 */
function forEachElement(
  { image: [examples, height, width, channels], windows }: DepthwiseAttributes,
  visit: (window: number, place: number, first: number) => void,
): void {
  const { kernel, count } = windows;
  for (let window = 0; window < examples * count[0] * count[1]; window++) {
    const [row, column] = [Math.floor(window / count[1]) % count[0], window % count[1]];
    const example = Math.floor(window / (count[0] * count[1]));
    for (let place = 0; place < kernel[0] * kernel[1]; place++) {
      const y = elementOf(windows, 0, row, Math.floor(place / kernel[1]), height);
      const x = elementOf(windows, 1, column, place % kernel[1], width);
      if (y >= 0 && x >= 0) visit(window, place, ((example * height + y) * width + x) * channels);
    }
  }
}

const depthwise: CpuKernel = (node, [images, weights], output) => {
  const attributes = node.attributes as DepthwiseConvolutionAttributes;
  const channels = attributes.image[3];
  const places = weights!.length / channels;
  output.fill(0);
  forEachElement(attributes, (window, place, first) => {
    const own = attributes.flipped ? places - 1 - place : place;
    for (let channel = 0; channel < channels; channel++)
      output[window * channels + channel]! += images![first + channel]! * weights![own * channels + channel]!;
  });
};

const depthwiseWeights: CpuKernel = (node, [images, values], output) => {
  const attributes = node.attributes as DepthwiseAttributes;
  const channels = attributes.image[3];
  output.fill(0);
  forEachElement(attributes, (window, place, first) => {
    for (let channel = 0; channel < channels; channel++)
      output[place * channels + channel]! += images![first + channel]! * values![window * channels + channel]!;
  });
};

export const kernels = { patches, depthwise, depthwiseWeights };
