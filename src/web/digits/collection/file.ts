/*
 * Drawings as a file: a zip archive with an IDX file of images and one of labels, each packed by gzip, as MNIST's. The
 * command line reads both files.
 */
import { unzipSync, zipSync } from "fflate";
import { readIdxShape } from "../../../data/idx.ts";
import { datasetFromIdx, type NamedBytes } from "../../../data/mnist.ts";
import { DataError } from "../../../index.ts";
import { PICTURE_SIDE } from "../state/pad-image.ts";
import { MOST_DRAWINGS, type LabeledDrawing } from "./store.ts";

const PIXELS = PICTURE_SIDE ** 2;

/** The files in the archive. */
export const IMAGES = "drawings-images-idx3-ubyte.gz";
export const LABELS = "drawings-labels-idx1-ubyte.gz";

/** More than the drawings can take that the page keeps, packed or not. */
export const MOST_BYTES = 2 * MOST_DRAWINGS * PIXELS;

/** All drawings as a zip archive. */
export async function archiveOf(drawings: readonly LabeledDrawing[]): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = new Uint8Array(drawings.length * PIXELS);
  drawings.forEach((drawing, index) => pixels.set(drawing.pixels, index * PIXELS));
  const labels = Uint8Array.from(drawings, ({ label }) => label);
  const [images, names] = await Promise.all([
    packed(idxOf([drawings.length, PICTURE_SIDE, PICTURE_SIDE], pixels)),
    packed(idxOf([drawings.length], labels)),
  ]);
  // The contents are packed already.
  return zipSync({ [IMAGES]: images, [LABELS]: names }, { level: 0 });
}

/** Bytes in the IDX format, which `parseIdx` describes. */
function idxOf(shape: readonly number[], values: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, 0x08, shape.length]);
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

async function packed(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * Reads what `archiveOf` wrote. Another program may have packed the two files again, in a folder or without gzip.
 * @param name the file's name, for messages
 * @throws DataError that says what is wrong: no zip archive, a missing or damaged file, images of another size, labels that
 * are no digits, images without ink, or too many of them
 */
export async function readArchive(bytes: Uint8Array, name: string): Promise<LabeledDrawing[]> {
  const files = filesIn(bytes, name);
  const [images, labels] = [fileOf(files, IMAGES, name), fileOf(files, LABELS, name)];
  requireCount((await readIdxShape(images.bytes, images.name))[0]!, name);
  const { features, labels: digits } = await datasetFromIdx({
    name,
    images,
    labels,
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    requireShape: (shape) => requireSide(shape, images.name),
  });
  return Array.from(digits, (label, index) => {
    const pixels = Uint8Array.from(features.subarray(index * PIXELS, (index + 1) * PIXELS));
    if (pixels.some((ink) => ink > 0)) return { label, pixels };
    const what = `image ${index + 1} of ${digits.length}, a ${label}, has no ink`;
    throw new DataError({ where: images.name, what, fix: "Import a file without empty images" });
  });
}

/** The files of an archive that may be those of drawings, by their names without folders. */
function filesIn(bytes: Uint8Array, where: string): ReadonlyMap<string, Uint8Array> {
  const baseOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  try {
    const files = unzipSync(bytes, {
      filter: ({ name, originalSize }) => baseOf(name).startsWith("drawings-") && originalSize <= MOST_BYTES,
    });
    return new Map(Object.entries(files).map(([path, file]) => [baseOf(path), file]));
  } catch (cause) {
    const what = `the file is no zip archive, or it is damaged (${cause instanceof Error ? cause.message : String(cause)})`;
    throw new DataError({ where, what, fix: "Import a file that this page has exported" }, { cause });
  }
}

function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string, where: string): NamedBytes {
  const plain = name.replace(/\.gz$/, "");
  const bytes = files.get(name) ?? files.get(plain);
  if (bytes) return { name: `${where}, ${plain}`, bytes };
  const what = `the archive has no file ${name}`;
  throw new DataError({ where, what, fix: "Import a file that this page has exported" });
}

function requireCount(count: number, where: string): void {
  if (count <= MOST_DRAWINGS) return;
  const [found, most] = [count, MOST_DRAWINGS].map((number) => number.toLocaleString("en"));
  const what = `there are ${found} drawings, and this page keeps at most ${most}`;
  throw new DataError({ where, what, fix: "Train on larger data with the command line" });
}

function requireSide(shape: readonly number[], where: string): void {
  if (shape.every((size) => size === PICTURE_SIDE)) return;
  const what = `the images are ${shape.join("×")} pixels, and not ${PICTURE_SIDE}×${PICTURE_SIDE}`;
  throw new DataError({ where, what, fix: "Import a file that this page has exported" });
}
