import { gzipSync } from "node:zlib";
import type { NamedBytes } from "../../src/data/mnist.ts";
import type { MnistFile } from "../../src/data/mnist-files.ts";

/** An IDX file of unsigned bytes. `type` allows a test to write a wrong type. */
export function writeIdx(shape: readonly number[], values: ArrayLike<number>, type = 0x08): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  const view = new DataView(bytes.buffer);
  bytes[2] = type;
  bytes[3] = shape.length;
  shape.forEach((size, index) => view.setUint32(4 + 4 * index, size));
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

/**
 * A small set in the form of MNIST: 6 training and 4 test pictures of 3×2. Training images and test labels are
 * compressed.
 */
export function smallMnist(): Record<MnistFile, NamedBytes> {
  const pictures = (count: number, first: number) =>
    writeIdx(
      [count, 3, 2],
      Uint8Array.from({ length: count * 6 }, (_, index) => first + index),
    );
  return {
    trainImages: { name: "train-images-idx3-ubyte.gz", bytes: gzipSync(pictures(6, 10)) },
    trainLabels: { name: "train-labels-idx1-ubyte", bytes: writeIdx([6], [5, 0, 4, 1, 9, 2]) },
    testImages: { name: "t10k-images-idx3-ubyte", bytes: pictures(4, 100) },
    testLabels: { name: "t10k-labels-idx1-ubyte.gz", bytes: gzipSync(writeIdx([4], [7, 2, 1, 0])) },
  };
}
