/* The page's colours as numbers, to mix on canvases. */
import { signal } from "@preact/signals";

export type Colour = readonly [red: number, green: number, blue: number];

export interface Palette {
  readonly surface: Colour;
  readonly text: Colour;
  readonly muted: Colour;
  readonly line: Colour;
  /** Class 0, negative values. */
  readonly blue: Colour;
  /** Class 1, positive values. */
  readonly orange: Colour;
  /** Blue for −1, the surface's colour for 0, orange for 1: paler than the points on them, and as they are. */
  readonly regions: Ramp;
  readonly units: Ramp;
  /** From blue, not at its full, for the least to the surface's colour for the most. */
  readonly heights: Ramp;
}

/** 256 colours, as the pixels of an image. */
export type Ramp = Uint32Array;

/** The value of a CSS colour in any notation: what a canvas makes of it. */
function resolve(context: CanvasRenderingContext2D, colour: string): Colour {
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return [red!, green!, blue!];
}

function rampOf(colourAt: (share: number) => Colour): Ramp {
  const bytes = Array.from({ length: 256 }, (_, index) => [...colourAt(index / 255), 255]).flat();
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}

function readPalette(): Palette {
  const styles = getComputedStyle(document.documentElement);
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const token = (name: string) => resolve(context, styles.getPropertyValue(name).trim() || "gray");
  const [surface, blue, orange] = [token("--surface"), token("--accent"), token("--accent-2")];
  const diverging = (strength: number) =>
    rampOf((share) => mix(surface, share < 0.5 ? blue : orange, strength * Math.abs(2 * share - 1)));
  return {
    surface,
    text: token("--text"),
    muted: token("--muted"),
    line: token("--line"),
    blue,
    orange,
    regions: diverging(0.45),
    units: diverging(1),
    heights: rampOf((share) => mix(blue, surface, 0.25 + 0.75 * share)),
  };
}

export const palette = signal<Palette | undefined>(undefined);

/** Reads the colours, and again when the system changes between light and dark. Returns an end to that. */
export function followPalette(): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const read = () => (palette.value = readPalette());
  read();
  dark.addEventListener("change", read);
  return () => dark.removeEventListener("change", read);
}

/** The colour at a share in [0, 1] of the way from one to another. */
function mix(from: Colour, to: Colour, share: number): Colour {
  const between = (channel: 0 | 1 | 2) => Math.round(from[channel] + share * (to[channel] - from[channel]));
  return [between(0), between(1), between(2)];
}

export const css = ([red, green, blue]: Colour, alpha = 1): string => `rgb(${red} ${green} ${blue} / ${alpha})`;

/** One colour of a ramp, for CSS. */
export function rampColour(ramp: Ramp, index: number): string {
  const [red, green, blue] = new Uint8Array(ramp.buffer, 4 * index, 3);
  return css([red!, green!, blue!]);
}
