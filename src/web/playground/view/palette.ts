/*
 * The page's colors for the canvases of the Playground.
 */
import { computed } from "@preact/signals";
import { tokenColor, mix, rampOf, scheme, type Color, type Ramp } from "../../shared/colors.ts";

export interface Palette {
  readonly surface: Color;
  readonly text: Color;
  readonly line: Color;
  /** Class 1, positive values. */
  readonly blue: Color;
  /** Class 0, negative values. */
  readonly orange: Color;
  /** Orange for −1, the surface color for 0, blue for 1, as on all tabs. `regions` is paler than the points that are drawn on it. */
  readonly regions: Ramp;
  readonly units: Ramp;
  /** From a light blue for the minimum to the surface color for the maximum. */
  readonly heights: Ramp;
}

function readPalette(): Palette {
  const [surface, blue, orange] = [tokenColor("--surface"), tokenColor("--accent"), tokenColor("--accent-2")];
  const diverging = (strength: number) =>
    rampOf((index) => mix(surface, index < 128 ? orange : blue, strength * Math.abs((2 * index) / 255 - 1)));
  return {
    surface,
    text: tokenColor("--text"),
    line: tokenColor("--line"),
    blue,
    orange,
    regions: diverging(0.45),
    units: diverging(1),
    heights: rampOf((index) => mix(blue, surface, 0.25 + (0.75 * index) / 255)),
  };
}

/** Read again when the system switches between light and dark. */
export const palette = computed(() => {
  void scheme.value;
  return readPalette();
});

export const css = ([red, green, blue]: Color, alpha = 1): string => `rgb(${red} ${green} ${blue} / ${alpha})`;

/** A color of a ramp as CSS. */
export function rampColor(ramp: Ramp, index: number): string {
  const [red, green, blue] = new Uint8Array(ramp.buffer, 4 * index, 3);
  return css([red!, green!, blue!]);
}
