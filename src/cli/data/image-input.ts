/*
 * Reads PNG and JPEG files as inputs of a model.
 */
import {
  channelsOf,
  imageInColor,
  isSameSize,
  resizeImage,
  sizeText,
  type DecodedImage,
  type ImageInput,
  type ImageSize,
} from "../../data/image-pixels.ts";
import { DataError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import { decodeImage } from "../../node/image.ts";
import { filesIn, readImage, unreadable } from "../../node/image-folder.ts";
import type { TrainedModel } from "../../node/index.ts";
import { HEADER_END, pngSize } from "../../node/png-chunks.ts";
import { warn } from "../text/terminal.ts";
import { takesImages } from "./model-table.ts";
import { isFolder } from "./image-source.ts";
import type { FeatureBatch } from "./table-batches.ts";

/** The most bytes of an image file, including what it contains besides pixels. */
const MOST_FILE_BYTES = 2 ** 28;

/** The most bytes of the pixels in a batch of images, and the most images. */
const BATCH = { bytes: 2 ** 24, images: 256 };

/** How an image is converted to the model's input. */
export interface ImageFlags {
  readonly invert?: true;
  readonly resize?: true;
}

/** Reads an image file as one batch. @throws DataError if the model does not expect such an image */
export async function* oneImage(
  chunks: AsyncIterable<Uint8Array>,
  where: string,
  trained: TrainedModel,
  flags: ImageFlags,
): AsyncGenerator<FeatureBatch> {
  const input = imageInputOf(trained, where, flags);
  const bytes = await imageBytes(chunks, where, (size) => requireFit(size, where, input));
  const image = await decodeImage(bytes, { where, background: backgroundOf(flags) });
  const pixels = inputPixels(image, where, input, flags);
  if (!trained.images) warnOfBright(pixels, where);
  yield { features: pixels };
}

/**
 * Reads images in batches. Folders are read with their folders; the images of each are sorted by path.
 * @throws DataError at the end, with the files that are not readable images, or do not fit the model
 */
export async function* manyImages(
  paths: readonly string[],
  where: string,
  trained: TrainedModel,
  flags: ImageFlags,
): AsyncGenerator<FeatureBatch> {
  const input = imageInputOf(trained, where, flags);
  const files = await imagesAt(paths);
  const size = sizeOf(trained.model.inputShape);
  const most = Math.max(1, Math.min(BATCH.images, Math.floor(BATCH.bytes / size)));
  const faults: string[] = [];
  for (let first = 0; first < files.length; first += most) {
    const features: Uint8Array[] = [];
    const names: string[] = [];
    for (const path of files.slice(first, first + most)) {
      try {
        features.push(inputPixels(await readImage(path, backgroundOf(flags)), path, input, flags));
        names.push(path);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        faults.push(`${path} (${error.what})`);
      }
    }
    if (names.length > 0) yield { features: Buffer.concat(features), names };
  }
  if (faults.length > 0) throw unreadable("predict", faults, files.length);
}

/** The files among paths, and those in the folders among them. @throws DataError for a folder without files */
async function imagesAt(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      if (!(await isFolder(path))) return [path];
      const files = await filesIn(path);
      if (files.length > 0) return files;
      throw new DataError({ where: path, what: "the folder contains no files", fix: "Give a folder of images" });
    }),
  );
  return found.flat();
}

/**
 * Reads all bytes of an image.
 * @param requireSize receives the size in the header of a PNG before the rest is read, and may throw
 * @throws DataError for more than `MOST_FILE_BYTES`
 */
async function imageBytes(
  chunks: AsyncIterable<Uint8Array>,
  where: string,
  requireSize: (size: ImageSize) => void,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let [length, isHeaderRead] = [0, false];
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length > MOST_FILE_BYTES) {
      const what = `the file has more than ${MOST_FILE_BYTES} bytes`;
      throw new DataError({ where, what, fix: "Use a smaller image" });
    }
    const size = isHeaderRead ? undefined : pngSize(Buffer.concat(parts));
    if (size) requireSize(size);
    isHeaderRead ||= length >= HEADER_END;
  }
  return Buffer.concat(parts, length);
}

/**
 * How images become the input of a model: as stored in its file, else by the shape of its input.
 * @throws DataError for a model that expects no images
 */
export function imageInputOf(trained: TrainedModel, where: string, { resize }: ImageFlags = {}): ImageInput {
  if (trained.images) return { ...trained.images, resize: resize === true || trained.images.resize };
  const { inputShape } = trained.model;
  const [height, width, channels = 1] = imageShape(inputShape);
  const color = channels === 3 ? "rgb" : "gray";
  if (takesImages(trained) && height * width * channelsOf(color) === sizeOf(inputShape))
    return { height, width, color, resize: resize === true };
  const what = "this is an image, but the model expects rows of a table";
  const fix = "Give a CSV file, or import the network with the --shape of its images, such as 28,28";
  throw new DataError({ where, what, fix: trained.table ? "Give a CSV file" : fix });
}

/** Height, width and channels of the images that a model expects; an input of one axis is taken as a square. */
function imageShape(inputShape: readonly number[]): [height: number, width: number, channels?: number] {
  if (inputShape.length === 2 || inputShape.length === 3)
    return inputShape as [height: number, width: number, channels?: number];
  const side = Math.floor(Math.sqrt(sizeOf(inputShape)));
  return [side, side];
}

/** Transparent pixels become 0: black, or the white that inverting makes black. */
const backgroundOf = ({ invert }: ImageFlags) => (invert ? 255 : 0);

/** @throws DataError for another size than the model's, unless images are resized */
function requireFit(size: ImageSize, where: string, input: ImageInput): void {
  if (isSameSize(size, input) || input.resize) return;
  throw new DataError({
    where,
    what: `the image has ${sizeText(size)} pixels (width × height), but the model expects ${sizeText(input)}`,
    fix: "Crop it to that size, or add --resize",
  });
}

/** The pixels of an image as the model expects them. @throws DataError for another size, unless it is to be resized */
function inputPixels(image: DecodedImage, where: string, input: ImageInput, { invert }: ImageFlags): Uint8Array {
  requireFit(image, where, input);
  const pixels = invert ? image.pixels.map((value) => 255 - value) : image.pixels;
  return imageInColor(resizeImage({ ...image, pixels }, input), input.color).pixels;
}

/** Warns about an image that is probably black on white. */
function warnOfBright(pixels: Uint8Array, where: string): void {
  const mean = pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length;
  if (mean > 127)
    warn(`${where} is mostly bright, but MNIST's digits are white on black. Add --invert for black on white.`);
}
