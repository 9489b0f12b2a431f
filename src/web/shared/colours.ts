/*
 * The tokens of style.css as colours of pictures that are drawn by hand.
 */
import { signal } from "@preact/signals";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Raised when the system changes between light and dark. */
export const scheme = signal(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => (scheme.value = dark.matches ? "dark" : "light"));

/** The colour that a token has now, such as "--accent". */
export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export type Colour = readonly [red: number, green: number, blue: number];

/** A canvas writes every opaque colour as #rrggbb; a build may shorten those of a style sheet. */
const parser = new OffscreenCanvas(1, 1).getContext("2d")!;

/** A token's colour as numbers from 0 to 255. */
export function tokenColour(name: string): Colour {
  parser.fillStyle = token(name);
  const digits = String(parser.fillStyle).slice(1);
  return [0, 2, 4].map((place) => parseInt(digits.slice(place, place + 2), 16)) as unknown as Colour;
}

/** The colour at a share in [0, 1] of the way from one to another. */
export const mix = (from: Colour, to: Colour, share: number): Colour =>
  from.map((value, channel) => Math.round(value + share * (to[channel]! - value))) as unknown as Colour;

/** 256 colours, as the pixels of an image. */
export type Ramp = Uint32Array;

export function rampOf(colourAt: (index: number) => Colour): Ramp {
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let index = 0; index < 256; index++) bytes.set([...colourAt(index), 255], 4 * index);
  return new Uint32Array(bytes.buffer);
}
