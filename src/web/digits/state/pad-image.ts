/*
 * Converts a drawing to an image like those of MNIST: scaled to 20×20 with its proportions kept, then placed in 28×28 by
 * its center of mass (LeCun et al. 1998).
 */
import { resampled, type Area } from "../../../data/resample.ts";

/** The side of the network's images, in pixels. */
export const PICTURE_SIDE = 28;

/** The longer side of the digit after scaling. */
const BOX_SIDE = 20;

/** Fainter ink does not count as part of the digit: it comes from antialiased edges. */
const LEAST_INK = 8;

/**
 * @param ink a square image in row-major order, from 0 (black) to 255 (white)
 * @param side its side in pixels
 * @returns 28×28 bytes, or undefined if nothing is drawn
 */
export function centered(ink: ArrayLike<number>, side: number): Uint8Array<ArrayBuffer> | undefined {
  const box = boundsOf(ink, side);
  if (!box) return undefined;
  // A square keeps the digit's proportions.
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

/** Places the box in 28×28, moved by whole pixels so that its center of mass is in the middle. */
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
