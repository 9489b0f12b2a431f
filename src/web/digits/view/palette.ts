/*
 * The colours of pictures that are drawn by hand, from the tokens of style.css.
 */
import { signal } from "@preact/signals";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Raised when the system changes between light and dark. */
export const scheme = signal(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => (scheme.value = dark.matches ? "dark" : "light"));

/** The colour that a token has now, such as "--accent". */
export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

type Colour = readonly [red: number, green: number, blue: number];

/** A canvas writes every opaque colour as #rrggbb; a build may shorten those of a style sheet. */
const parser = new OffscreenCanvas(1, 1).getContext("2d")!;

function parsed(name: string): Colour {
  parser.fillStyle = token(name);
  const digits = String(parser.fillStyle).slice(1);
  return [0, 2, 4].map((place) => parseInt(digits.slice(place, place + 2), 16)) as unknown as Colour;
}

const between = (from: Colour, to: Colour, share: number) => from.map((value, channel) => value + share * (to[channel]! - value));

/** 256 colours as words of an ImageData: orange at 1 (−127), the surface at 128, blue at 255 (127). */
export function divergingColours(): Uint32Array {
  const [low, middle, high] = [parsed("--accent-2"), parsed("--surface"), parsed("--accent")];
  return colours((index) => (index < 128 ? between(middle, low, (128 - index) / 127) : between(middle, high, (index - 128) / 127)));
}

/** 256 colours as words of an ImageData: the surface at 0, ink at 255. */
export function inkColours(): Uint32Array {
  const [paper, ink] = [parsed("--surface"), parsed("--text")];
  return colours((index) => between(paper, ink, index / 255));
}

function colours(colourAt: (index: number) => number[]): Uint32Array {
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let index = 0; index < 256; index++) bytes.set([...colourAt(index), 255], 4 * index);
  return new Uint32Array(bytes.buffer);
}

/** Pictures of `side` by `side` values beside each other, and where each of them lies. */
export interface Mosaic {
  readonly side: number;
  readonly columns: number;
  readonly count: number;
}

/**
 * Draws pictures into a canvas with a gap of one pixel between them.
 * @param colourOf the colour's place among the colours, of the value at an index
 */
export function drawMosaic(
  canvas: HTMLCanvasElement,
  { side, columns, count }: Mosaic,
  palette: Uint32Array,
  colourOf: (index: number) => number,
): void {
  const rows = Math.ceil(count / columns);
  const [width, height] = [columns * (side + 1) - 1, Math.max(1, rows * (side + 1) - 1)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  for (let picture = 0; picture < count; picture++) {
    const corner = Math.floor(picture / columns) * (side + 1) * width + (picture % columns) * (side + 1);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        words[corner + row * width + column] = palette[colourOf(picture * side * side + row * side + column)]!;
      }
    }
  }
  context.putImageData(image, 0, 0);
}
