/* The page's colours as the Playground's canvases use them. */
import { computed } from "@preact/signals";
import { tokenColour, mix, rampOf, scheme, type Colour, type Ramp } from "../../shared/colours.ts";

export interface Palette {
  readonly surface: Colour;
  readonly text: Colour;
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

function readPalette(): Palette {
  const [surface, blue, orange] = [tokenColour("--surface"), tokenColour("--accent"), tokenColour("--accent-2")];
  const diverging = (strength: number) =>
    rampOf((index) => mix(surface, index < 128 ? blue : orange, strength * Math.abs((2 * index) / 255 - 1)));
  return {
    surface,
    text: tokenColour("--text"),
    line: tokenColour("--line"),
    blue,
    orange,
    regions: diverging(0.45),
    units: diverging(1),
    heights: rampOf((index) => mix(blue, surface, 0.25 + (0.75 * index) / 255)),
  };
}

/** Read again when the system changes between light and dark. */
export const palette = computed(() => {
  void scheme.value;
  return readPalette();
});

export const css = ([red, green, blue]: Colour, alpha = 1): string => `rgb(${red} ${green} ${blue} / ${alpha})`;

/** One colour of a ramp, for CSS. */
export function rampColour(ramp: Ramp, index: number): string {
  const [red, green, blue] = new Uint8Array(ramp.buffer, 4 * index, 3);
  return css([red!, green!, blue!]);
}
