import { DataError } from "../errors.ts";
import { makeClassificationDataset, type ClassificationDataset } from "./dataset.ts";
import { readIdx, readIdxShape } from "./idx.ts";

/** The names of the four MNIST files, unpacked; packed, each ends in ".gz" as well. */
export const mnistFileNames = {
  trainImages: "train-images-idx3-ubyte",
  trainLabels: "train-labels-idx1-ubyte",
  testImages: "t10k-images-idx3-ubyte",
  testLabels: "t10k-labels-idx1-ubyte",
} as const;

/** One of the four MNIST files. */
export type MnistFile = keyof typeof mnistFileNames;

/** The four MNIST files, in the order in which wgrad names them. */
export const mnistFiles = Object.keys(mnistFileNames) as readonly MnistFile[];

/** The names under which wgrad accepts one of the files, the preferred one first: packed, then plain. */
export function acceptedNames(file: MnistFile): [packed: string, plain: string] {
  return [`${mnistFileNames[file]}.gz`, mnistFileNames[file]];
}

/** A file that was read: its name, for messages, and all its bytes. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads the four MNIST files, each plain or as .gz. Any data in MNIST's form will do (Fashion-MNIST, KMNIST, fewer
 * examples, other picture sizes), except that the classes are always "0" … "9".
 * @returns features as bytes 0 … 255, shape [rows, columns], labels 0 … 9.
 * @throws DataError naming the file for anything that `readIdx` and `datasetFromIdx` refuse, and where the training
 * and test pictures differ in size.
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
      what: `pictures of ${found}, but those of ${trainImages.name} are ${expected}`,
      fix: "Take all four files from the same set",
    });
  }
  return { train, test };
}

/** Pictures and labels in two IDX files, and what they are. */
export interface IdxPair {
  /** What the data is, for messages. */
  readonly name: string;
  /** Three dimensions: pictures, rows, columns. */
  readonly images: NamedBytes;
  /** One dimension: labels. */
  readonly labels: NamedBytes;
  /** The name of each class; labels must lie in 0 … classes.length − 1. */
  readonly classes: readonly string[];
  /** Is told the shape of a picture, to refuse it by throwing, before any picture is unpacked. */
  readonly requireShape?: (shape: readonly number[]) => void;
}

/**
 * Joins an IDX file of grey pictures and one of labels.
 * @returns features as bytes 0 … 255, shape [rows, columns].
 * @throws DataError naming the file and byte offset for a wrong number of dimensions, no examples, a different number
 * of pictures and labels, or a label outside the classes.
 */
export async function datasetFromIdx(pair: IdxPair): Promise<ClassificationDataset> {
  const { name, images, labels, classes, requireShape } = pair;
  // A small archive may announce gigabytes: all that the headers tell is checked before either file is unpacked.
  const pictureShape = await readIdxShape(images.bytes, images.name);
  requireDimensions(pictureShape, 3, "pictures, rows, columns", images.name);
  const labelShape = await readIdxShape(labels.bytes, labels.name);
  requireDimensions(labelShape, 1, "labels", labels.name);
  const [count, ...shape] = pictureShape;
  if (labelShape[0] !== count) {
    throw new DataError({
      where: `${labels.name}, byte 4 of the IDX data`,
      what: `${labelShape[0]} labels, but ${images.name} has ${count} pictures`,
      fix: "Take the pictures and the labels from the same set",
    });
  }
  requireShape?.(shape);
  const pictures = await readIdx(images.bytes, images.name);
  const given = await readIdx(labels.bytes, labels.name);
  const wrong = given.values.findIndex((label) => label >= classes.length);
  if (wrong >= 0) {
    throw new DataError({
      where: `${labels.name}, byte ${8 + wrong} of the IDX data`,
      what: `label ${given.values[wrong]} of example ${wrong} is outside 0 … ${classes.length - 1}`,
      fix: "Take the labels that belong to these classes",
    });
  }
  return makeClassificationDataset({
    name,
    features: pictures.values,
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
      fix: "Check that pictures and labels were not exchanged",
    });
  }
  if (shape.includes(0)) {
    throw new DataError({
      where: `${where}, byte 4 of the IDX data`,
      what: `the file has no values: its shape is ${shape.join("×")}`,
      fix: "Give a file with at least one example",
    });
  }
}
