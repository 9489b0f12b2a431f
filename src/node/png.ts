import { convertIndexedToRgb, decode, type DecodedPng } from "fast-png";
import { resampled } from "../data/resample.ts";
import { DataError } from "../errors.ts";
import { pixelChunks, type PixelChunks } from "./png-chunks.ts";

export { HEADER_END, isPng, pngSize } from "./png-chunks.ts";

/** A grey picture. */
export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  /** Row after row, 0 black … 255 white. */
  readonly pixels: Uint8Array;
}

export interface PngOptions {
  /** Exchanges black and white: MNIST's digits are white on black. */
  readonly invert?: boolean;
}

/**
 * Reads a PNG as grey: colours by their luma (ITU-R BT.601), and what is transparent lies over the background, which is
 * black, or white where the picture is then inverted.
 * @param where the file's name, for messages
 * @throws DataError for bytes that are no PNG, a damaged one, or one that unpacks to more than its size
 */
export function readPng(bytes: Uint8Array, where: string, { invert = false }: PngOptions = {}): GreyPicture {
  const { width, height, channels, data, depth, transparent } = decoded(bytes, where);
  const largest = 2 ** depth - 1;
  const background = invert ? 1 : 0;
  const hasAlpha = channels === 2 || channels === 4;
  const pixels = new Uint8Array(width * height);
  for (let pixel = 0; pixel < pixels.length; pixel++) {
    const at = pixel * channels;
    const part = (channel: number) => data[at + channel]! / largest;
    const grey = channels < 3 ? part(0) : 0.299 * part(0) + 0.587 * part(1) + 0.114 * part(2);
    const isTransparent =
      transparent !== undefined && transparent.every((sample, channel) => data[at + channel] === sample);
    const alpha = isTransparent ? 0 : hasAlpha ? part(channels - 1) : 1;
    const seen = grey * alpha + background * (1 - alpha);
    pixels[pixel] = Math.round(255 * (invert ? 1 - seen : seen));
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
    const what = `this is no PNG that can be read: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new DataError({ where, what, fix: "Save the picture as PNG again" }, { cause });
  }
}

/** Samples of 1, 2 or 4 bits, each in a byte of its own; every row begins with a new byte. */
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

/** A picture in another size, stretched to the new shape: each pixel is the mean of the area that it covers. */
export function resizePicture(
  { width, height, pixels }: GreyPicture,
  newWidth: number,
  newHeight: number,
): GreyPicture {
  const whole = { left: 0, top: 0, width, height };
  const values = resampled({ width, height, values: pixels }, whole, newWidth, newHeight);
  return { width: newWidth, height: newHeight, pixels: Uint8Array.from(values, Math.round) };
}
