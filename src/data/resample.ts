/** The pixels of a gray image, row-major. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly values: ArrayLike<number>;
}

/**
 * A rectangle in an image, in pixels. Its edges may cut pixels, and it may extend beyond the right and the lower edge.
 */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Resamples an area of an image to another size: each new pixel is the mean of the area that it covers. Outside the
 * image the value is 0.
 * @returns the new pixels, row-major
 */
export function resampled(
  { width, height, values }: Pixels,
  area: Area,
  newWidth: number,
  newHeight: number,
): Float64Array {
  const columns = coverage({ from: area.left, length: area.width, end: width }, newWidth);
  const rows = coverage({ from: area.top, length: area.height, end: height }, newHeight);
  return Float64Array.from({ length: newWidth * newHeight }, (_, pixel) => {
    let sum = 0;
    for (const row of rows[Math.floor(pixel / newWidth)]!) {
      for (const column of columns[pixel % newWidth]!)
        sum += row.share * column.share * values[row.index * width + column.index]!;
    }
    return sum;
  });
}

/** A part of a row or column of pixels, and the number of its pixels. */
interface Piece {
  readonly from: number;
  readonly length: number;
  readonly end: number;
}

/** A pixel, and its share of a new pixel. */
export interface Share {
  readonly index: number;
  readonly share: number;
}

/** For each of `count` equal parts, the pixels that it covers, each with its fraction of the part. */
export function coverage({ from, length, end }: Piece, count: number): Share[][] {
  return Array.from({ length: count }, (_, part) => {
    const [first, last] = [from + (part * length) / count, from + ((part + 1) * length) / count];
    const covered: Share[] = [];
    for (let index = Math.floor(first); index < Math.min(last - 1e-9, end); index++) {
      covered.push({ index, share: (Math.min(last, index + 1) - Math.max(first, index)) / (last - first) });
    }
    return covered;
  });
}
