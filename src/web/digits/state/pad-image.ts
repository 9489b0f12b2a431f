/*
 * From what was drawn to what the network was shown in training: the way that the pictures of MNIST were made (LeCun et
 * al. 1998: scaled into 20×20 with their proportions kept, then placed in 28×28 by their center of mass).
 */

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
  const scale = Math.max(box.width, box.height) / BOX_SIDE;
  const scaled = scaledBox(ink, side, { left: box.left, top: box.top, scale });
  return placedByMass(scaled);
}

interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function boundsOf(ink: ArrayLike<number>, side: number): Bounds | undefined {
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

/** The box in 20×20, each pixel the mean of the ink that it covers. */
function scaledBox(ink: ArrayLike<number>, side: number, { left, top, scale }: { left: number; top: number; scale: number }): Float64Array {
  const result = new Float64Array(BOX_SIDE * BOX_SIDE);
  for (let row = 0; row < BOX_SIDE; row++) {
    for (let column = 0; column < BOX_SIDE; column++) {
      const [x, y] = [left + column * scale, top + row * scale];
      result[row * BOX_SIDE + column] = meanInk(ink, side, { x, y, size: scale });
    }
  }
  return result;
}

/** The mean over a square, whose edges may cut pixels; outside the picture there is no ink. */
function meanInk(ink: ArrayLike<number>, side: number, { x, y, size }: { x: number; y: number; size: number }): number {
  let sum = 0;
  for (let row = Math.floor(y); row < y + size && row < side; row++) {
    const high = Math.min(row + 1, y + size) - Math.max(row, y);
    for (let column = Math.floor(x); column < x + size && column < side; column++) {
      const wide = Math.min(column + 1, x + size) - Math.max(column, x);
      sum += wide * high * ink[row * side + column]!;
    }
  }
  return sum / (size * size);
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
