/*
 * Images with class labels: MNIST, IDX files, or a folder with one folder of images per class.
 */
import { readdir, stat } from "node:fs/promises";
import type { ClassificationDataset } from "../../data/dataset.ts";
import { sizeText, type ImageInput } from "../../data/image-pixels.ts";
import { datasetFromIdx, type IdxPair, type NamedBytes } from "../../data/mnist.ts";
import { acceptedNames, mnistFiles } from "../../data/mnist-files.ts";
import { DataError, OptionError } from "../../errors.ts";
import { cannotBeRead } from "../../node/csv-file.ts";
import { loadMnist, readFileOrRefuse, readImageFolder } from "../../node/index.ts";
import { sizeOfText, type DataFlags } from "../options/data-options.ts";
import { warn } from "../text/terminal.ts";
import { counted } from "../text/text.ts";

/** Images that were read. */
export interface Images {
  readonly train: ClassificationDataset;
  readonly test: ClassificationDataset | undefined;
  readonly source: string;
  readonly images?: ImageInput;
}

/**
 * Reads the images that the options select.
 * @throws DataError for invalid files; OptionError for options that do not fit the data
 */
export async function readImageData(flags: DataFlags): Promise<Images> {
  const { data, images, labels, testImages, testLabels } = flags;
  if (images === undefined) return loadMnist({ directory: data, log: warn });
  if (await isFolderOfClasses(images)) return readFolders(images, flags);
  refuseFolderOptions(flags);
  if (await isFolder(images)) return loadMnist({ directory: images, log: warn });
  const train = await readIdxImages(images, labels);
  const known = { classes: train.classes };
  const test = testImages === undefined ? undefined : await readIdxImages(testImages, testLabels, known, "--test");
  return { train, test, source: images };
}

/** Options that only images in folders have. */
function refuseFolderOptions({ images, size, color }: DataFlags): void {
  const option = size === undefined ? (color === undefined ? undefined : "--color") : "--size";
  if (option === undefined) return;
  const what = `${images} is not a folder with one folder of images per class`;
  throw new OptionError({ where: option, what, fix: "Omit this option" });
}

/** Reads images in folders, one for each class. */
async function readFolders(folder: string, flags: DataFlags): Promise<Images> {
  const { size: text, color: wanted, testImages } = flags;
  const needless = flags.labels === undefined ? flags.testLabels && "--test-labels" : "--labels";
  if (needless !== undefined) {
    const what = `${folder} is a folder of images, whose folders are the labels`;
    throw new OptionError({ where: needless, what, fix: "Omit this option" });
  }
  const size = text === undefined ? undefined : sizeOfText(text);
  const train = await readImageFolder(folder, { size, color: wanted });
  const [height, width, channels] = train.shape as [number, number, number];
  const color = channels === 3 ? "rgb" : "gray";
  const images = { width, height, color, resize: size !== undefined } as const;
  const test = testImages === undefined ? undefined : await readImagesFor(testImages, images, train.classes);
  return {
    train,
    test,
    source: `${folder}, ${counted(train.classes.length, "class", "classes")} of ${color === "rgb" ? "color" : "gray"} images`,
    images,
  };
}

/** Reads a folder of images for a model with this input and these classes. */
export async function readImagesFor(
  folder: string,
  { resize, color, ...size }: ImageInput,
  classes: readonly string[],
): Promise<ClassificationDataset> {
  const data = await readImageFolder(folder, { color, classes, ...(resize && { size }) });
  const [height, width] = data.shape as [number, number];
  if (width === size.width && height === size.height) return data;
  const what = `its images are ${sizeText({ width, height })} (width × height), but the model expects ${sizeText(size)}`;
  throw new DataError({ where: folder, what, fix: "Train with --size, which resizes all images" });
}

/** Whether a path is a folder without MNIST's files, so that its folders are classes of images. */
export async function isFolderOfClasses(path: string): Promise<boolean> {
  if (!(await isFolder(path))) return false;
  const names = new Set(await readdir(path).catch((): string[] => []));
  return !mnistFiles.flatMap(acceptedNames).some((name) => names.has(name));
}

/** Whether a path is a folder. @throws DataError if it does not exist */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw cannotBeRead(path, cause);
  }
}

const named = async (name: string): Promise<NamedBytes> => ({ name, bytes: await readFileOrRefuse(name) });

/**
 * Reads images and labels from IDX files.
 * @param known the classes; by default "0" to the largest label, and at least two
 * @param prefix the beginning of the options that name the files, "-" or "--test"
 * @throws OptionError without labels; DataError for invalid files
 */
export async function readIdxImages(
  images: string,
  labels: string | undefined,
  known?: Pick<IdxPair, "classes" | "requireShape">,
  prefix = "-",
): Promise<ClassificationDataset> {
  if (labels === undefined) {
    throw new OptionError({
      where: `${prefix}-images`,
      what: `${images} is a file of images without labels`,
      fix: `Give the file of their labels with ${prefix}-labels`,
    });
  }
  const pair = { name: images, images: await named(images), labels: await named(labels) };
  if (known) return datasetFromIdx({ ...pair, ...known });
  const bytes = Array.from({ length: 256 }, (_, label) => String(label));
  const data = await datasetFromIdx({ ...pair, classes: bytes });
  const largest = data.labels.reduce((most, label) => Math.max(most, label), 1);
  return { ...data, classes: bytes.slice(0, largest + 1) };
}
