/* The names of MNIST's files, apart from what reads them. */

/** The names of the four MNIST files without compression. Compressed ones also end in ".gz". */
export const mnistFileNames = {
  trainImages: "train-images-idx3-ubyte",
  trainLabels: "train-labels-idx1-ubyte",
  testImages: "t10k-images-idx3-ubyte",
  testLabels: "t10k-labels-idx1-ubyte",
} as const;

/** One of the four MNIST files. */
export type MnistFile = keyof typeof mnistFileNames;

/** The four MNIST files, in the order in which wgrad lists them. */
export const mnistFiles = Object.keys(mnistFileNames) as readonly MnistFile[];

/** The names under which a file is looked for, in order of preference: compressed, then plain. */
export function acceptedNames(file: MnistFile): [packed: string, plain: string] {
  return [`${mnistFileNames[file]}.gz`, mnistFileNames[file]];
}
