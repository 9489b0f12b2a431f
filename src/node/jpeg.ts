/*
 * Decodes JPEG with libjpeg, compiled to WebAssembly by the package @jsquash/jpeg: its pixels are those of libjpeg.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { MozJPEGModule } from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import type { DecodedImage, ImageSize } from "../data/image-pixels.ts";

/** The most pixels of a JPEG, which take four bytes each in the decoder: more than most cameras have. */
const MOST_PIXELS = 2 ** 26;

/** Whether bytes begin with the signature of a JPEG. */
export const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

interface Header extends ImageSize {
  /** Number of components: 1 for gray, 3 for color, 4 for the inks of a printer. */
  readonly components: number;
}

/** Markers without a length: TEM, RST0 to RST7. */
const isBare = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);

/** Markers of frames, SOF0 to SOF15; three codes in the range mean other things (DHT, JPG, DAC). */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/**
 * Reads the header of the frame (ITU-T T.81, B.2.2).
 * @throws Error if the bytes end before it, or have none
 */
function headerOf(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff || marker === 0xda || marker === 0xd9)
      throw new Error(`there is no frame before byte ${at}`);
    if (marker === 0xff) at += 1;
    else if (isBare(marker)) at += 2;
    else if (!isFrame(marker)) at += 2 + view.getUint16(at + 2);
    else if (at + 10 > bytes.length) break;
    else return { height: view.getUint16(at + 5), width: view.getUint16(at + 7), components: bytes[at + 9]! };
  }
  throw new Error(`it is truncated at byte ${bytes.length}`);
}

let wasm: Promise<WebAssembly.Module> | undefined;

async function loadWasm(): Promise<WebAssembly.Module> {
  const path = createRequire(import.meta.url).resolve("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm");
  return WebAssembly.compile(await readFile(path));
}

/** The decoder, and its messages since the last call. */
interface Decoder {
  readonly module: MozJPEGModule;
  readonly messages: string[];
}

let decoder: Promise<Decoder> | undefined;

async function loadDecoder(): Promise<Decoder> {
  const compiled = await (wasm ??= loadWasm());
  const { default: createDecoder } = await import("@jsquash/jpeg/codec/dec/mozjpeg_dec.js");
  const messages: string[] = [];
  const module = await createDecoder({
    noInitialRun: true,
    printErr: (message: string) => messages.push(message),
    instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
      const instance = new WebAssembly.Instance(compiled, imports);
      done(instance);
      return instance.exports;
    },
  });
  return { module, messages };
}

/** A message about bytes before the end marker, which some cameras write: all pixels are there. */
const HARMLESS = /extraneous bytes before marker 0xd9$/;

/**
 * Decodes a JPEG, gray or in color, turned upright as its EXIF orientation says.
 * @throws Error for bytes that are not a JPEG, for a damaged, truncated or oversized JPEG, and for one in CMYK
 */
export async function decodeJpeg(bytes: Uint8Array): Promise<DecodedImage> {
  const { width, height, components } = headerOf(bytes);
  if (width === 0 || height === 0) throw new Error(`its size is ${width} × ${height}`);
  if (width * height > MOST_PIXELS)
    throw new Error(`its size of ${width} × ${height} is more than ${MOST_PIXELS} pixels`);
  if (components === 4) throw new Error("its colors are those of a printer (CMYK), which are not supported");
  const { module, messages } = await (decoder ??= loadDecoder());
  messages.length = 0;
  let decoded: ImageData | null;
  try {
    decoded = module.decode(bytes as Uint8Array<ArrayBuffer>, true);
  } catch (cause) {
    // libjpeg ends its program when a file cannot be decoded, so the next file needs another decoder.
    decoder = undefined;
    throw new Error(messages[0] ?? String(cause), { cause });
  }
  const fault = messages.find((message) => !HARMLESS.test(message));
  if (fault !== undefined || !decoded) throw new Error(fault ?? "it cannot be decoded");
  return withoutAlpha(decoded, components === 1 ? 1 : 3);
}

/** The first channels of an image with four, of which the last is opaque. */
function withoutAlpha({ width, height, data }: ImageData, channels: 1 | 3): DecodedImage {
  const pixels = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < channels; channel++)
      pixels[pixel * channels + channel] = data[4 * pixel + channel]!;
  }
  return { width, height, channels, pixels };
}
