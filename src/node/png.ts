import { convertIndexedToRgb, decode, type DecodedPng } from "fast-png";
import type { DecodedImage } from "../data/image-pixels.ts";
import { pixelChunks, type PixelChunks } from "./png-chunks.ts";

/**
 * Decodes a PNG to 8 bits per channel, gray or in color. Transparent pixels are blended with the background.
 * @param background the gray behind transparent pixels, from 0 (black) to 255 (white)
 * @throws Error for bytes that are not a PNG, and for a damaged or oversized PNG
 */
export function decodePng(bytes: Uint8Array, background: number): DecodedImage {
  const { width, height, channels: samples, data, depth, transparent } = samplesOf(bytes);
  const channels = samples < 3 ? 1 : 3;
  const hasAlpha = samples === 2 || samples === 4;
  const largest = 2 ** depth - 1;
  const pixels = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * samples;
    const isTransparent = transparent?.every((sample, channel) => data[at + channel] === sample) === true;
    const alpha = isTransparent ? 0 : hasAlpha ? data[at + samples - 1]! / largest : 1;
    for (let channel = 0; channel < channels; channel++) {
      const value = (255 * data[at + channel]!) / largest;
      pixels[pixel * channels + channel] = Math.round(value * alpha + background * (1 - alpha));
    }
  }
  return { width, height, channels, pixels };
}

type Samples = Pick<DecodedPng, "width" | "height" | "channels" | "data" | "depth"> & Pick<PixelChunks, "transparent">;

function samplesOf(bytes: Uint8Array): Samples {
  const { png, transparent } = pixelChunks(bytes);
  const picture = decode(png);
  if (picture.palette) {
    const data = convertIndexedToRgb(picture);
    return { ...picture, data, depth: 8, channels: data.length / (picture.width * picture.height) };
  }
  return { ...(picture.depth < 8 ? unpacked(picture) : picture), ...(transparent && { transparent }) };
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
