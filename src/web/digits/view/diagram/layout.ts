/*
 * Where the drawing of the network puts its parts, in CSS pixels.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface DiagramLayout {
  /** The square of the input image. */
  readonly picture: Point & { readonly side: number };
  /** The centers of the units of each layer. */
  readonly units: readonly (readonly Point[])[];
}

/** The distance between the image and the first layer, at least. */
const GAP = 48;

/** Half the width of a unit, and the space beside the last layer. */
const MARGIN = 14;

/**
 * The image at the left, and a column of units for each layer.
 * @param counts the number of drawn units of each layer
 */
export function layoutOf(width: number, height: number, counts: readonly number[]): DiagramLayout {
  const side = Math.min(140, Math.floor(width / 4), height);
  const [first, last] = [side + GAP, width - MARGIN];
  const xOf = (layer: number) => (counts.length === 1 ? last : first + ((last - first) * layer) / (counts.length - 1));
  return {
    picture: { x: 0, y: (height - side) / 2, side },
    units: counts.map((count, layer) =>
      Array.from({ length: count }, (_, place) => ({ x: xOf(layer), y: (height * (place + 0.5)) / count })),
    ),
  };
}
