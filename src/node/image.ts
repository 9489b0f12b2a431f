import type { DecodedImage } from "../data/image-pixels.ts";
import { DataError } from "../errors.ts";
import { decodeJpeg, isJpeg } from "./jpeg.ts";
import { isPng } from "./png-chunks.ts";

/** Options of `decodeImage`. */
export interface DecodeImageOptions {
  /** The file's name, for messages; "image" by default. */
  readonly where?: string;
  /** The gray behind transparent pixels, from 0 (black, the default) to 255 (white). */
  readonly background?: number;
}

/** Formats that are recognized only to be refused by name: the first bytes as text, at an offset. */
const otherFormats: readonly (readonly [name: string, offset: number, text: string])[] = [
  ["GIF", 0, "GIF8"],
  ["WebP", 8, "WEBP"],
  ["BMP", 0, "BM"],
  ["TIFF", 0, "II*\0"],
  ["TIFF", 0, "MM\0*"],
  ["HEIC or AVIF", 4, "ftyp"],
];

/** Whether bytes begin like an image that `decodeImage` reads. */
export const isImage = (bytes: Uint8Array): boolean => isPng(bytes) || isJpeg(bytes);

/**
 * Decodes a PNG or JPEG image to 8 bits per channel, gray or in color. Transparent pixels are blended with the background;
 * a JPEG is turned upright as its EXIF orientation says, and its pixels are those of libjpeg.
 *
 * @example
 * ```ts
 * const image = await decodeImage(await readFile("cat.jpg"), { where: "cat.jpg" });
 * const { pixels } = resizeImage(image, { width: 32, height: 32 });
 * ```
 *
 * @throws DataError with the name and the reason for another format, a damaged or truncated image, one whose header
 * promises more than 2²⁷ bytes (PNG) or 2²⁶ pixels (JPEG), and a JPEG in CMYK
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeImageOptions = {}): Promise<DecodedImage> {
  const { where = "image", background = 0 } = options;
  const format = isPng(bytes) ? "PNG" : isJpeg(bytes) ? "JPEG" : undefined;
  if (format === undefined) throw new DataError({ where, what: otherFormat(bytes), fix: "Convert it to PNG or JPEG" });
  try {
    if (format === "JPEG") return await decodeJpeg(bytes);
    // Imported here, since the package takes 30 ms to load.
    const { decodePng } = await import("./png.ts");
    return decodePng(bytes, background);
  } catch (cause) {
    const what = `this is not a readable ${format}: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new DataError({ where, what, fix: `Save the image as ${format} again` }, { cause });
  }
}

function otherFormat(bytes: Uint8Array): string {
  if (bytes.length === 0) return "the file is empty";
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  const known = otherFormats.find(([, offset, text]) => start.startsWith(text, offset));
  return known ? `this is a ${known[0]} image, not a PNG or JPEG` : "this is neither a PNG nor a JPEG";
}
