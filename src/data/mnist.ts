import { DataError } from "../errors.ts";
import { makeClassificationDataset, type ClassificationDataset } from "./dataset.ts";
import { readIdx, readIdxShape } from "./idx.ts";
import type { MnistFile } from "./mnist-files.ts";

/** A file that was read: its name, for messages, and its bytes. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads the four MNIST files, each plain or as .gz. Any data in the same form can be used (Fashion-MNIST, KMNIST, fewer
 * examples, other image sizes), but the classes are always "0" … "9".
 * @returns features as bytes 0 … 255, shape [rows, columns], labels 0 … 9
 * @throws DataError that names the file, for anything that `readIdx` or `datasetFromIdx` refuses, or if the training
 * and test images differ in size
 */
export async function mnistFromFiles(
  files: Readonly<Record<MnistFile, NamedBytes>>,
): Promise<{ train: ClassificationDataset; test: ClassificationDataset }> {
  const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
  const { trainImages, trainLabels, testImages, testLabels } = files;
  const train = await datasetFromIdx({ name: "MNIST, train", images: trainImages, labels: trainLabels, classes });
  const test = await datasetFromIdx({ name: "MNIST, test", images: testImages, labels: testLabels, classes });
  if (train.shape.join() !== test.shape.join()) {
    const [expected, found] = [train.shape.join("×"), test.shape.join("×")];
    throw new DataError({
      where: `${testImages.name}, byte 8 of the IDX data`,
      what: `the images are ${found}, but those of ${trainImages.name} are ${expected}`,
      fix: "Use four files of the same data set",
    });
  }
  return { train, test };
}

/** Images and labels in two IDX files. */
export interface IdxPair {
  /** A name for messages. */
  readonly name: string;
  /** Three dimensions: images, rows, columns. */
  readonly images: NamedBytes;
  /** One dimension: labels. */
  readonly labels: NamedBytes;
  /** The name of each class; labels must lie in 0 … classes.length − 1. */
  readonly classes: readonly string[];
  /** Called with the shape of an image before any image is decompressed. It may throw to refuse the shape. */
  readonly requireShape?: (shape: readonly number[]) => void;
}

/**
 * Makes a data set from an IDX file of gray images and one of labels.
 * @returns features as bytes 0 … 255, shape [rows, columns]
 * @throws DataError that names the file and byte offset, for a wrong number of dimensions, no examples, different
 * numbers of images and labels, or a label outside the classes
 */
export async function datasetFromIdx(pair: IdxPair): Promise<ClassificationDataset> {
  const { name, images, labels, classes, requireShape } = pair;
  // A small archive may decompress to gigabytes, so the headers are checked before either file is decompressed.
  const imageShape = await readIdxShape(images.bytes, images.name);
  requireDimensions(imageShape, 3, "images, rows, columns", images.name);
  const labelShape = await readIdxShape(labels.bytes, labels.name);
  requireDimensions(labelShape, 1, "labels", labels.name);
  const [count, ...shape] = imageShape;
  if (labelShape[0] !== count) {
    throw new DataError({
      where: `${labels.name}, byte 4 of the IDX data`,
      what: `${labelShape[0]} labels, but ${images.name} has ${count} images`,
      fix: "Use images and labels of the same data set",
    });
  }
  requireShape?.(shape);
  const pixels = await readIdx(images.bytes, images.name);
  const given = await readIdx(labels.bytes, labels.name);
  const wrong = given.values.findIndex((label) => label >= classes.length);
  if (wrong >= 0) {
    throw new DataError({
      where: `${labels.name}, byte ${8 + wrong} of the IDX data`,
      what: `label ${given.values[wrong]} of example ${wrong} is outside 0 … ${classes.length - 1}`,
      fix: "Use labels that belong to these classes",
    });
  }
  return makeClassificationDataset({
    name,
    features: pixels.values,
    shape,
    labels: Uint32Array.from(given.values),
    classes,
  });
}

function requireDimensions(shape: readonly number[], dimensions: number, meaning: string, where: string): void {
  if (shape.length !== dimensions) {
    throw new DataError({
      where: `${where}, byte 3 of the IDX data`,
      what: `${shape.length} dimensions (${shape.join("×")}), expected ${dimensions}: ${meaning}`,
      fix: "Check that images and labels are not swapped",
    });
  }
  if (shape.includes(0)) {
    throw new DataError({
      where: `${where}, byte 4 of the IDX data`,
      what: `the file is empty: its shape is ${shape.join("×")}`,
      fix: "Give a file with at least one example",
    });
  }
}
