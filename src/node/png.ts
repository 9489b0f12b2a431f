import { convertIndexedToRgb, decode, type DecodedPng } from "fast-png";
import { resampled } from "../data/resample.ts";
import { DataError } from "../errors.ts";
import { pixelChunks, type PixelChunks } from "./png-chunks.ts";

export { HEADER_END, isPng, pngSize } from "./png-chunks.ts";

/** A grayscale picture. */
export interface GrayPicture {
  readonly width: number;
  readonly height: number;
  /** Row-major, from 0 (black) to 255 (white). */
  readonly pixels: Uint8Array;
}

/** Options of `readPng`. */
export interface PngOptions {
  /** Whether to invert the picture; MNIST's digits are white on black. */
  readonly invert?: boolean;
}

/**
 * Reads a PNG in grayscale. Colors are converted to luma (ITU-R BT.601). Transparent pixels are blended with a black
 * background, or with a white one if the picture is inverted.
 * @param where the file's name, for messages
 * @throws DataError for bytes that are not a PNG, and for a damaged or oversized PNG
 */
export function readPng(bytes: Uint8Array, where: string, { invert = false }: PngOptions = {}): GrayPicture {
  const { width, height, channels, data, depth, transparent } = decoded(bytes, where);
  const largest = 2 ** depth - 1;
  const background = invert ? 1 : 0;
  const hasAlpha = channels === 2 || channels === 4;
  const pixels = new Uint8Array(width * height);
  for (let pixel = 0; pixel < pixels.length; pixel++) {
    const at = pixel * channels;
    const part = (channel: number) => data[at + channel]! / largest;
    const gray = channels < 3 ? part(0) : 0.299 * part(0) + 0.587 * part(1) + 0.114 * part(2);
    const isTransparent =
      transparent !== undefined && transparent.every((sample, channel) => data[at + channel] === sample);
    const alpha = isTransparent ? 0 : hasAlpha ? part(channels - 1) : 1;
    const blended = gray * alpha + background * (1 - alpha);
    pixels[pixel] = Math.round(255 * (invert ? 1 - blended : blended));
  }
  return { width, height, pixels };
}

type Samples = Pick<DecodedPng, "width" | "height" | "channels" | "data" | "depth"> & Pick<PixelChunks, "transparent">;

function decoded(bytes: Uint8Array, where: string): Samples {
  try {
    const { png, transparent } = pixelChunks(bytes);
    const picture = decode(png);
    if (picture.palette) {
      const data = convertIndexedToRgb(picture);
      return { ...picture, data, depth: 8, channels: data.length / (picture.width * picture.height) };
    }
    return { ...(picture.depth < 8 ? unpacked(picture) : picture), ...(transparent && { transparent }) };
  } catch (cause) {
    const what = `this is not a readable PNG: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new DataError({ where, what, fix: "Save the image as PNG again" }, { cause });
  }
}

/** Unpacks samples of 1, 2 or 4 bits to one byte each. Every row starts at a byte. */
function unpacked(picture: DecodedPng): Samples {
  const { width, height, depth, data } = picture;
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  const samples = new Uint8Array(width * height);
  for (let pixel = 0; pixel < samples.length; pixel++) {
    const column = pixel % width;
    const byte = data[Math.floor(pixel / width) * rowBytes + Math.floor(column / perByte)]!;
    samples[pixel] = (byte >> (8 - depth * ((column % perByte) + 1))) & (2 ** depth - 1);
  }
  return { ...picture, data: samples, channels: 1 };
}

/** Resizes a picture, without keeping its aspect ratio: each pixel is the mean of the area that it covers. */
export function resizePicture(
  { width, height, pixels }: GrayPicture,
  newWidth: number,
  newHeight: number,
): GrayPicture {
  const whole = { left: 0, top: 0, width, height };
  const values = resampled({ width, height, values: pixels }, whole, newWidth, newHeight);
  return { width: newWidth, height: newHeight, pixels: Uint8Array.from(values, Math.round) };
}
