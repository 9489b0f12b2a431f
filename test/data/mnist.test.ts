import { gzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { datasetFromIdx, mnistFromFiles } from "../../src/data/mnist.ts";
import { acceptedNames, mnistFiles, type MnistFile } from "../../src/data/mnist-files.ts";
import { DataError } from "../../src/errors.ts";
import { smallMnist, writeIdx } from "./idx-files.ts";

async function refusal(file: MnistFile, bytes: Uint8Array): Promise<DataError> {
  const files = { ...smallMnist(), [file]: { name: file, bytes } };
  const error: unknown = await mnistFromFiles(files).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
}

test("accepts four names, compressed before plain", () => {
  expect(mnistFiles.map((file) => acceptedNames(file))).toEqual([
    ["train-images-idx3-ubyte.gz", "train-images-idx3-ubyte"],
    ["train-labels-idx1-ubyte.gz", "train-labels-idx1-ubyte"],
    ["t10k-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte"],
    ["t10k-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte"],
  ]);
});

test("reads a set in the form of MNIST", async () => {
  const { train, test: held } = await mnistFromFiles(smallMnist());
  expect(train).toMatchObject({ name: "MNIST, train", shape: [3, 2], count: 6 });
  expect([...train.features]).toEqual(Array.from({ length: 36 }, (_, index) => 10 + index));
  expect([...train.labels]).toEqual([5, 0, 4, 1, 9, 2]);
  expect(train.classes).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  expect(held).toMatchObject({ name: "MNIST, test", shape: [3, 2], count: 4 });
  expect([...held.features]).toEqual(Array.from({ length: 24 }, (_, index) => 100 + index));
  expect([...held.labels]).toEqual([7, 2, 1, 0]);
});

describe("is refused, naming the file and the byte:", () => {
  test("a label above 9", async () => {
    const error = await refusal("trainLabels", writeIdx([6], [0, 1, 2, 10, 4, 5]));
    expect(error.where).toBe("trainLabels, byte 11 of the IDX data");
    expect(error.what).toBe("label 10 of example 3 is outside 0 … 9");
  });

  test("fewer labels than pictures", async () => {
    const error = await refusal("testLabels", writeIdx([3], [0, 1, 2]));
    expect(error.where).toBe("testLabels, byte 4 of the IDX data");
    expect(error.what).toBe("3 labels, but t10k-images-idx3-ubyte has 4 images");
  });

  test("pictures of another size in the test set", async () => {
    const error = await refusal("testImages", writeIdx([4, 2, 3], new Uint8Array(24)));
    expect(error.where).toBe("testImages, byte 8 of the IDX data");
    expect(error.what).toContain("the images are 2×3, but those of train-images-idx3-ubyte.gz are 3×2");
  });

  test("swapped labels and pictures", async () => {
    const flat = await refusal("trainImages", writeIdx([6], [0, 1, 2, 3, 4, 5]));
    expect(flat.what).toContain("1 dimensions (6), expected 3");
    const deep = await refusal("trainLabels", writeIdx([1, 1, 1], [0]));
    expect(deep.what).toContain("3 dimensions (1×1×1), expected 1");
  });

  test("a set without examples", async () => {
    expect((await refusal("trainImages", writeIdx([0, 28, 28], []))).what).toContain(
      "the file is empty: its shape is 0×28×28",
    );
  });
});

describe("a small archive of many megabytes is refused by its header, without decompressing more:", () => {
  const megabytes = (shape: readonly number[]) =>
    gzipSync(writeIdx(shape, Buffer.alloc(shape.reduce((product, size) => product * size, 1))));
  const few = { name: "few.idx", bytes: writeIdx([10], new Uint8Array(10)) };
  const wide = { name: "wide.gz", bytes: megabytes([10, 1600, 1600]) };
  const tenPictures = { name: "ten.idx", bytes: writeIdx([10, 2, 2], new Uint8Array(40)) };

  /** The bytes that were decompressed. */
  async function unpackedBy(act: () => Promise<unknown>, message: RegExp): Promise<number> {
    let length = 0;
    const { read } = ReadableStreamDefaultReader.prototype;
    const spy = vi.spyOn(ReadableStreamDefaultReader.prototype, "read").mockImplementation(async function (
      this: ReadableStreamDefaultReader,
    ) {
      const result = await read.call(this);
      length += (result.value as Uint8Array | undefined)?.length ?? 0;
      return result;
    });
    await expect(act()).rejects.toThrow(message);
    spy.mockRestore();
    return length;
  }

  test.each<[string, Parameters<typeof datasetFromIdx>[0], RegExp]>([
    [
      "more labels than pictures",
      { name: "d", images: tenPictures, labels: { name: "l.gz", bytes: megabytes([25_600_000]) }, classes: ["0"] },
      /25600000 labels, but ten\.idx has 10 images/,
    ],
    [
      "more pictures than labels",
      { name: "d", images: { name: "p.gz", bytes: megabytes([100_000, 16, 16]) }, labels: few, classes: ["0"] },
      /10 labels, but p\.gz has 100000 images/,
    ],
    [
      "pictures of another size than required",
      {
        name: "d",
        images: wide,
        labels: few,
        classes: ["0"],
        requireShape: (shape) => {
          if (shape.join() !== "28,28") throw new DataError({ what: `not ${shape.join("×")}` });
        },
      },
      /not 1600×1600/,
    ],
  ])("%s", async (_, pair, message) => {
    // prettier-ignore
    expect(await unpackedBy(() => datasetFromIdx(pair), message)).toBeLessThan(2 ** 20);
  });
});
