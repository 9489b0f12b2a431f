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
}

/** The value of a CSS colour in any notation: what a canvas makes of it. */
function resolve(context: CanvasRenderingContext2D, colour: string): Colour {
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return [red!, green!, blue!];
}

function readPalette(): Palette {
  const styles = getComputedStyle(document.documentElement);
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const token = (name: string) => resolve(context, styles.getPropertyValue(name).trim() || "gray");
  return {
    surface: token("--surface"),
    text: token("--text"),
    muted: token("--muted"),
    line: token("--line"),
    blue: token("--accent"),
    orange: token("--accent-2"),
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
export function mix(from: Colour, to: Colour, share: number): Colour {
  const between = (channel: 0 | 1 | 2) => Math.round(from[channel] + share * (to[channel] - from[channel]));
  return [between(0), between(1), between(2)];
}

export const css = ([red, green, blue]: Colour, alpha = 1): string => `rgb(${red} ${green} ${blue} / ${alpha})`;

/** Blue for −1, the surface's colour for 0, orange for 1; the picture stays paler than the points on it. */
export function diverging({ surface, blue, orange }: Palette, value: number, strength = 0.45): Colour {
  const clamped = Math.max(-1, Math.min(1, value));
  return mix(surface, clamped < 0 ? blue : orange, strength * Math.abs(clamped));
}
