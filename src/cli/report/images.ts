import { encode } from "fast-png";

/** Blue for −1 and orange for 1; 0 is white. */
const NEGATIVE = [0, 114, 178];
const POSITIVE = [213, 94, 0];

function dataUri(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}

/** A gray image as a data URI, from black for `least` to white for `most`. */
export function grayImage(values: ArrayLike<number>, width: number, least: number, most: number): string {
  const scale = 255 / (most - least || 1);
  const data = Uint8Array.from(values, (value) => Math.max(0, Math.min(255, Math.round((value - least) * scale))));
  return dataUri(encode({ width, height: data.length / width, data, channels: 1 }));
}

/** An image of red, green and blue bytes as a data URI. */
export function colorImage(pixels: Uint8Array, width: number): string {
  return dataUri(encode({ width, height: pixels.length / 3 / width, data: pixels, channels: 3 }));
}

/** An image of signed numbers as a data URI: white for 0, orange for `largest`, blue for −`largest`. */
export function signedImage(values: ArrayLike<number>, width: number, largest: number): string {
  const data = new Uint8Array(3 * values.length);
  for (let index = 0; index < values.length; index++) {
    // 32 shades of each color compress well.
    const share = Math.round((32 * values[index]!) / (largest || 1)) / 32;
    const full = share < 0 ? NEGATIVE : POSITIVE;
    data.set(
      full.map((channel) => Math.round(255 + (channel - 255) * Math.min(1, Math.abs(share)))),
      3 * index,
    );
  }
  return dataUri(encode({ width, height: values.length / width, data, channels: 3 }));
}
