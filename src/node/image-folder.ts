/*
 * Reads a folder of images with one folder per class.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { makeClassificationDataset, type ClassificationDataset } from "../data/dataset.ts";
import {
  channelsOf,
  hasColor,
  imageInColor,
  isSameSize,
  resizeImage,
  sizeText,
  type DecodedImage,
  type ImageColor,
  type ImageSize,
} from "../data/image-pixels.ts";
import { DataError, optionName } from "../errors.ts";
import { decodeImage } from "./image.ts";
import { plainReason } from "./files.ts";

/** Options of `readImageFolder`. */
export interface ImageFolderOptions {
  /** Resizes every image to this size; by default all images must have the size of the first. */
  readonly size?: ImageSize;
  /** Converts every image; by default "rgb" if a pixel of any image has a color, otherwise "gray". */
  readonly color?: ImageColor;
  /** The names of the classes in the order of their labels, such as a model's; by default the names of the folders, sorted. */
  readonly classes?: readonly string[];
}

/** The most bytes of the pixels of a folder. */
const MOST_BYTES = 2 ** 31;

/** How many files a message lists. */
const MOST_LISTED = 10;

/** Files that operating systems leave in folders. Names that begin with a point are also ignored. */
const SYSTEM_FILES: ReadonlySet<string> = new Set(["Thumbs.db", "desktop.ini", "__MACOSX"]);

const isIgnored = (name: string) => name.startsWith(".") || SYSTEM_FILES.has(name);

/**
 * Reads images with class labels: each folder in `folder` is a class, and holds PNG and JPEG files, also in folders of
 * its own. Hidden files and files of the operating system are ignored. Every other file in a class must be an image.
 *
 * @example
 * ```ts
 * const dataset = await readImageFolder("pets", { size: { width: 64, height: 64 } }); // pets/cat/*.jpg, pets/dog/*.jpg
 * ```
 *
 * @returns features as bytes 0 … 255, shape [height, width, channels] with 1 or 3 channels; the examples are in the order
 * of the classes, then of the paths
 * @throws DataError for a folder that cannot be read, fewer than two classes, a class without images, images of different
 * sizes without `size`, more than 2³¹ bytes of pixels, and files that are not readable images, which it lists
 */
export async function readImageFolder(
  folder: string,
  options: ImageFolderOptions = {},
): Promise<ClassificationDataset> {
  const files = await filesOfClasses(folder, options.classes);
  const classes = options.classes ?? [...new Set(files.map(({ className }) => className))];
  const images = new ImageList(folder, files.length, options);
  const faults: string[] = [];
  for (const { path } of files) {
    try {
      images.add(await readImage(path), path);
    } catch (error) {
      if (!(error instanceof DataError) || error.where !== path) throw error;
      faults.push(`${relative(folder, path)} (${error.what})`);
    }
  }
  if (faults.length > 0) throw unreadable(folder, faults, files.length);
  const labels = Uint32Array.from(files, ({ className }) => classes.indexOf(className));
  return makeClassificationDataset({ name: folder, ...images.finish(), labels, classes });
}

/**
 * Reads and decodes an image file.
 * @throws DataError with the path for a file that cannot be read, and as `decodeImage` does
 */
export async function readImage(path: string, background = 0): Promise<DecodedImage> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const what = `cannot be read: ${plainReason(cause)}`;
    throw new DataError({ where: path, what, fix: "Check the path and its permissions" }, { cause });
  }
  return decodeImage(bytes, { where: path, background });
}

/** The error for files that are not readable images, with the first of them and their reasons. */
export function unreadable(where: string, faults: readonly string[], files: number): DataError {
  const listed = faults.slice(0, MOST_LISTED).join("; ");
  const more = faults.length > MOST_LISTED ? `; and ${faults.length - MOST_LISTED} more` : "";
  const what = `${faults.length} of ${files} files are not readable images: ${listed}${more}`;
  return new DataError({ where, what, fix: "Convert them to PNG or JPEG, or remove them" });
}

/**
 * The files in a folder and in its folders, sorted by path, without hidden files and files of the operating system.
 * @throws DataError with the path and the reason for a folder that cannot be read
 */
export async function filesIn(folder: string): Promise<string[]> {
  const { files, folders } = await entriesOf(folder);
  const nested = await Promise.all(folders.map((name) => filesIn(join(folder, name))));
  const all = [...files.map((name) => join(folder, name)), ...nested.flat()];
  return all.sort(byText);
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The names in a folder, sorted; links are followed. */
async function entriesOf(folder: string): Promise<{ files: string[]; folders: string[] }> {
  try {
    const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !isIgnored(name));
    const found = await Promise.all(
      entries.map(async (entry) => {
        const { name } = entry;
        const isLink = entry.isSymbolicLink();
        return { name, isFolder: (isLink ? await stat(join(folder, name)) : entry).isDirectory() };
      }),
    );
    const namesOf = (kind: boolean) => found.filter(({ isFolder }) => isFolder === kind).map(({ name }) => name);
    return { files: namesOf(false).sort(byText), folders: namesOf(true).sort(byText) };
  } catch (cause) {
    const what = `the folder cannot be read: ${plainReason(cause)}`;
    throw new DataError({ where: folder, what, fix: "Check the path and its permissions" }, { cause });
  }
}

interface ClassFile {
  readonly path: string;
  readonly className: string;
}

/** The files of each class, in the order of the folders. */
async function filesOfClasses(folder: string, known: readonly string[] | undefined): Promise<ClassFile[]> {
  const { folders, files } = await entriesOf(folder);
  const refuse = (what: string, fix: string) => new DataError({ where: folder, what, fix });
  const stray = files.find((name) => /\.(png|jpe?g)$/i.test(name));
  if (stray !== undefined)
    throw refuse(`${stray} is an image outside the folders of the classes`, "Move it into the folder of its class");
  if (folders.length < (known ? 1 : 2)) {
    const found = folders.length === 0 ? "no folder" : `only the folder ${folders[0]}`;
    throw refuse(`there is ${found} in it, but each class needs one`, "Give a folder with one folder per class");
  }
  const unknown = known && folders.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw refuse(`the folder ${unknown} is none of the classes ${known!.join(", ")}`, "Rename or remove it");
  const ofClasses = await Promise.all(
    folders.map(async (className) =>
      (await filesIn(join(folder, className))).map((path): ClassFile => ({ path, className })),
    ),
  );
  const empty = ofClasses.findIndex((paths) => paths.length === 0);
  if (empty >= 0) throw refuse(`the folder ${folders[empty]} contains no images`, "Add images, or remove the folder");
  return ofClasses.flat();
}

/** Collects the pixels of images in one array. */
class ImageList {
  readonly #folder: string;
  readonly #most: number;
  readonly #options: ImageFolderOptions;
  #first: { readonly size: ImageSize; readonly path: string } | undefined;
  #channels: 1 | 3 = 1;
  #pixels = new Uint8Array();
  #count = 0;

  /** @param most how many images are added at most */
  constructor(folder: string, most: number, options: ImageFolderOptions) {
    [this.#folder, this.#most, this.#options] = [folder, most, options];
  }

  /** Adds an image, resized and converted. @throws DataError for another size than that of the first image */
  add(image: DecodedImage, path: string): void {
    const { size, color } = this.#options;
    const first = (this.#first ??= this.#begin(size ?? image, path));
    if (!size && !isSameSize(image, first.size)) throw this.#otherSize(first, image, path);
    const resized = resizeImage(image, first.size);
    // Most color files of gray images have equal channels, so the pixels decide.
    if (this.#channels === 1 && !color && hasColor(resized)) this.#toColor(first.size);
    const { pixels } = imageInColor(resized, this.#channels === 1 ? "gray" : "rgb");
    this.#pixels.set(pixels, this.#count * pixels.length);
    this.#count++;
  }

  finish(): Pick<ClassificationDataset, "features" | "shape"> {
    const { width, height } = this.#first!.size;
    return { features: this.#pixels, shape: [height, width, this.#channels] };
  }

  #begin(size: ImageSize, path: string): { size: ImageSize; path: string } {
    this.#channels = channelsOf(this.#options.color ?? "gray");
    this.#pixels = this.#allocate(size);
    return { size: { width: size.width, height: size.height }, path };
  }

  #allocate({ width, height }: ImageSize): Uint8Array<ArrayBuffer> {
    const bytes = this.#most * width * height * this.#channels;
    if (bytes <= MOST_BYTES) return new Uint8Array(bytes);
    throw new DataError({
      where: this.#folder,
      what: `${this.#most} images of ${sizeText({ width, height })} take ${bytes} bytes, more than ${MOST_BYTES}`,
      fix: `Choose a smaller size with ${optionName("size")}`,
    });
  }

  /** Repeats the gray channel of all images so far. */
  #toColor(size: ImageSize): void {
    const before = this.#pixels.subarray(0, this.#count * size.width * size.height);
    this.#channels = 3;
    this.#pixels = this.#allocate(size);
    this.#pixels.set(imageInColor({ ...size, channels: 1, pixels: before }, "rgb").pixels);
  }

  #otherSize(first: { size: ImageSize; path: string }, image: ImageSize, path: string): DataError {
    const what = `${relative(this.#folder, path)} is ${sizeText(image)} (width × height), but ${relative(this.#folder, first.path)} is ${sizeText(first.size)}`;
    const fix = `Resize all images to one size with ${optionName("size")}`;
    return new DataError({ where: this.#folder, what, fix });
  }
}
