/*
 * Draws grids of images.
 */
import { computed } from "@preact/signals";
import { mix, rampOf, scheme, tokenColor, type Ramp } from "../../shared/colors.ts";

// Kept until the theme changes, since many canvases use them many times a second.
const diverging = computed(() => {
  void scheme.value;
  const [low, middle, high] = [tokenColor("--accent-2"), tokenColor("--surface"), tokenColor("--accent")];
  return rampOf((index) => mix(middle, index < 128 ? low : high, Math.abs(index - 128) / 127));
});

const inks = computed(() => {
  void scheme.value;
  const [paper, ink] = [tokenColor("--surface"), tokenColor("--text")];
  return rampOf((index) => mix(paper, ink, index / 255));
});

/** Orange at 1 (for −127), the surface color at 128 (0), blue at 255 (127). */
export const divergingColors = (): Ramp => diverging.value;

/** The surface color at 0, the text color at 255. */
export const inkColors = (): Ramp => inks.value;

/** A grid of images of `side` by `side` values. */
export interface Mosaic {
  readonly side: number;
  readonly columns: number;
  readonly count: number;
}

/**
 * Draws a grid of images with gaps of one pixel.
 * @param colorOf the index of the color for the value at an index
 */
export function drawMosaic(
  canvas: HTMLCanvasElement | OffscreenCanvas,
  { side, columns, count }: Mosaic,
  palette: Ramp,
  colorOf: (index: number) => number,
): void {
  const rows = Math.ceil(count / columns);
  const [width, height] = [columns * (side + 1) - 1, Math.max(1, rows * (side + 1) - 1)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d") as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;
  const image = context.createImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  for (let picture = 0; picture < count; picture++) {
    const corner = Math.floor(picture / columns) * (side + 1) * width + (picture % columns) * (side + 1);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        words[corner + row * width + column] = palette[colorOf(picture * side * side + row * side + column)]!;
      }
    }
  }
  context.putImageData(image, 0, 0);
}
