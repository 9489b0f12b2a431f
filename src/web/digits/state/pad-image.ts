/*
 * From what was drawn to what the network was shown in training: the way that the pictures of MNIST were made (LeCun et
 * al. 1998: scaled into 20×20 with their proportions kept, then placed in 28×28 by their center of mass).
 */
import { resampled, type Area } from "../../../data/resample.ts";

/** The length and width of the network's pictures. */
export const PICTURE_SIDE = 28;

/** The digit is scaled to this, in its longer direction. */
const BOX_SIDE = 20;

/** Ink below this is no part of the digit: the edge that drawing leaves. */
const LEAST_INK = 8;

/**
 * @param ink a square picture, row by row, 0 … 255 for black to white
 * @param side its length and width
 * @returns 28×28 bytes, or undefined where nothing was drawn
 */
export function centered(ink: ArrayLike<number>, side: number): Uint8Array<ArrayBuffer> | undefined {
  const box = boundsOf(ink, side);
  if (!box) return undefined;
  // A square from the corner on: the digit keeps its proportions.
  const longer = Math.max(box.width, box.height);
  const square = { left: box.left, top: box.top, width: longer, height: longer };
  return placedByMass(resampled({ width: side, height: side, values: ink }, square, BOX_SIDE, BOX_SIDE));
}

function boundsOf(ink: ArrayLike<number>, side: number): Area | undefined {
  let [left, top, right, bottom] = [side, side, -1, -1];
  for (let index = 0; index < side * side; index++) {
    if (ink[index]! < LEAST_INK) continue;
    const [x, y] = [index % side, Math.floor(index / side)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The box in the middle of 28×28, moved by whole pixels so that its center of mass lies there. */
function placedByMass(box: Float64Array): Uint8Array<ArrayBuffer> {
  let [mass, sumX, sumY] = [0, 0, 0];
  box.forEach((value, index) => {
    mass += value;
    sumX += value * ((index % BOX_SIDE) + 0.5);
    sumY += value * (Math.floor(index / BOX_SIDE) + 0.5);
  });
  const [offsetX, offsetY] = [sumX, sumY].map((sum) => Math.round(PICTURE_SIDE / 2 - sum / mass)) as [number, number];
  const picture = new Uint8Array(PICTURE_SIDE * PICTURE_SIDE);
  box.forEach((value, index) => {
    const [x, y] = [(index % BOX_SIDE) + offsetX, Math.floor(index / BOX_SIDE) + offsetY];
    if (x < 0 || y < 0 || x >= PICTURE_SIDE || y >= PICTURE_SIDE) return;
    picture[y * PICTURE_SIDE + x] = Math.min(255, Math.round(value));
  });
  return picture;
}
