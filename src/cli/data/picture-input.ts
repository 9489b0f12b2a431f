/*
 * Reads a PNG picture as the input of a model.
 */
import { DataError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import type { TrainedModel } from "../../node/index.ts";
import { HEADER_END, pngSize, readPng, resizePicture } from "../../node/png.ts";
import { warn } from "../text/terminal.ts";
import { takesPictures } from "./model-table.ts";
import type { FeatureBatch } from "./table-batches.ts";

/** The most bytes of a picture file, including what it contains besides pixels. */
const MOST_FILE_BYTES = 2 ** 28;

/**
 * Reads all bytes of a picture.
 * @param requireSize receives the size in the header before the rest is read, and may throw
 */
async function pictureBytes(
  chunks: AsyncIterable<Uint8Array>,
  where: string,
  requireSize: (size: { width: number; height: number }) => void,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let [length, isHeaderRead] = [0, false];
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length > MOST_FILE_BYTES) {
      throw new DataError({
        where,
        what: `the file has more than ${MOST_FILE_BYTES} bytes`,
        fix: "Use a smaller image",
      });
    }
    const size = isHeaderRead ? undefined : pngSize(Buffer.concat(parts));
    if (size) requireSize(size);
    isHeaderRead ||= length >= HEADER_END;
  }
  return Buffer.concat(parts, length);
}

/** How a picture is converted to the model's input. */
export interface PictureFlags {
  readonly invert?: true;
  readonly resize?: true;
}

/** Reads the picture in a PNG file as one batch. @throws DataError if the model does not expect such a picture */
export async function* onePicture(
  chunks: AsyncIterable<Uint8Array>,
  where: string,
  trained: TrainedModel,
  flags: PictureFlags,
): AsyncGenerator<FeatureBatch> {
  const { inputShape } = trained.model;
  const [height, width] = pictureShape(inputShape);
  if (!takesPictures(trained) || height * width !== sizeOf(inputShape)) {
    const what = "this is an image, but the model expects rows of a table";
    const fix = "Give a CSV file, or import the network with the --shape of its images, such as 28,28";
    throw new DataError({ where, what, fix: trained.table ? "Give a CSV file" : fix });
  }
  const fit = (size: { width: number; height: number }) => size.width === width && size.height === height;
  const bytes = await pictureBytes(chunks, where, (size) => {
    if (fit(size) || flags.resize) return;
    throw new DataError({
      where,
      what: `the image has ${size.width}×${size.height} pixels (width × height), but the model expects ${width}×${height}`,
      fix: "Crop it to that size, or add --resize",
    });
  });
  const found = readPng(bytes, where, { invert: flags.invert === true });
  const fits = fit(found);
  const { pixels } = fits ? found : resizePicture(found, width, height);
  warnOfBright(pixels, where);
  yield { features: pixels };
}

/** Height and width of the pictures that a model expects; an input of one axis is taken as a square. */
function pictureShape(inputShape: readonly number[]): [height: number, width: number] {
  if (inputShape.length === 2) return [inputShape[0]!, inputShape[1]!];
  const side = Math.floor(Math.sqrt(sizeOf(inputShape)));
  return [side, side];
}

/** Warns about a picture that is probably black on white. */
function warnOfBright(pixels: Uint8Array, where: string): void {
  const mean = pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length;
  if (mean > 127)
    warn(`${where} is mostly bright, but MNIST's digits are white on black. Add --invert for black on white.`);
}
