/*
 * The colors of style.css, for canvases.
 */
import { signal } from "@preact/signals";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Changes when the system switches between light and dark. */
export const scheme = signal(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => (scheme.value = dark.matches ? "dark" : "light"));

/** The current value of a color of style.css, such as "--accent". */
export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export type Color = readonly [red: number, green: number, blue: number];

/** A canvas formats every opaque color as #rrggbb, while a build may shorten the colors of a style sheet. */
const parser = new OffscreenCanvas(1, 1).getContext("2d")!;

/** A color of style.css as numbers from 0 to 255. */
export function tokenColor(name: string): Color {
  parser.fillStyle = token(name);
  const digits = String(parser.fillStyle).slice(1);
  return [0, 2, 4].map((place) => parseInt(digits.slice(place, place + 2), 16)) as unknown as Color;
}

/** Interpolates between two colors; `share` is in [0, 1]. */
export const mix = (from: Color, to: Color, share: number): Color =>
  from.map((value, channel) => Math.round(value + share * (to[channel]! - value))) as unknown as Color;

/** 256 colors, as pixels of an image. */
export type Ramp = Uint32Array;

export function rampOf(colorAt: (index: number) => Color): Ramp {
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let index = 0; index < 256; index++) bytes.set([...colorAt(index), 255], 4 * index);
  return new Uint32Array(bytes.buffer);
}
