/*
 * The data and networks of the benchmark. In float32 a sum depends on the order of its terms, unless all of them are
 * multiples of a power of two with few digits. The networks start from such numbers, so that the forward pass is exact, and
 * each relu is active on the GPU exactly if it is active on the CPU.
 */
import { makeClassificationDataset, type ClassificationDataset, type UniformNormalization } from "../data/dataset.ts";
import { characterTokenizer } from "../data/text/characters.ts";
import { makeTextDataset, type TextDataset } from "../data/text/dataset.ts";
import { sizeOf } from "../graph/tensor.ts";
import type { Initializer } from "../nn/initializers.ts";
import { dense } from "../nn/layers/index.ts";
import { sequential, type Model } from "../nn/sequential.ts";
import { Random } from "../random.ts";

/** The numbers of features and classes of MNIST. */
export const FEATURES = 784;
export const CLASSES = 10;

/** The number of examples of MNIST. */
const EXAMPLES = 60_000;

/** Maps bytes 0 … 15 to multiples of ¼ from −2 to 1.75. */
export const normalization: UniformNormalization = { scale: 0.25, offset: -2 };

let images: ClassificationDataset | undefined;

/** Images of noise with random labels; created once. */
export function noiseImages(): ClassificationDataset {
  images ??= makeClassificationDataset({
    name: "noise",
    features: noiseBytes(EXAMPLES * FEATURES),
    shape: [FEATURES],
    labels: Uint32Array.from(noiseBytes(EXAMPLES), (byte) => byte % CLASSES),
    classes: Array.from({ length: CLASSES }, (_, digit) => String(digit)),
  });
  return images;
}

/** The number of different characters of Shakespeare's plays in nanoGPT's example. */
export const VOCABULARY = 65;

const CHARACTERS = 2 ** 16;

/** A text of random characters, in windows of `context`. */
export function noiseText(context: number): TextDataset {
  const random = new Random(1);
  const alphabet = Array.from({ length: VOCABULARY }, (_, token) => String.fromCharCode(48 + token)).join("");
  const text = alphabet + Array.from({ length: CHARACTERS }, () => alphabet[random.below(VOCABULARY)]).join("");
  return makeTextDataset({ name: "noise", text, tokenizer: characterTokenizer(alphabet), context });
}

/** Random bytes in 0 … 15, generated four at a time (Marsaglia 2003, "Xorshift RNGs"). */
function noiseBytes(count: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(count / 4));
  let state = 0x9e3779b9;
  for (let word = 0; word < words.length; word++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[word] = (state >>> 4) & 0x0f0f0f0f;
  }
  return new Uint8Array(words.buffer, 0, count);
}

/** Initializes each value with −size or +size at random. */
const signs =
  (size: number): Initializer =>
  (shape, _, random) =>
    Float32Array.from({ length: sizeOf(shape) }, () => (random.below(2) === 0 ? size : -size));

/** Makes each output the sum or difference of two inputs, which keeps the digits and, after a relu, the variance. */
const pairs: Initializer = ([inputs, outputs], _, random) => {
  const values = new Float32Array(inputs! * outputs!);
  for (let output = 0; output < outputs!; output++) {
    for (let pick = 0; pick < 2; pick++)
      values[random.below(inputs!) * outputs! + output] = random.below(2) === 0 ? 1 : -1;
  }
  return values;
};

/** A network of dense layers with relu, whose outputs for the noise images are exact in float32. */
export function exactNetwork(hidden: readonly number[]): Model {
  const layers = hidden.map((width, layer) =>
    dense(width, { activation: "relu", weights: layer === 0 ? signs(2 ** -4) : pairs }),
  );
  const last = signs(2 ** -Math.ceil(Math.log2(Math.sqrt(hidden.at(-1) ?? FEATURES))));
  return sequential([...layers, dense(CLASSES, { weights: last })], { inputShape: [FEATURES] });
}

/** The name of a network, such as "784-128-10", or "784-(16×128)-10" for sixteen hidden layers of one width. */
export function networkName(hidden: readonly number[]): string {
  const [width] = hidden;
  const alike = hidden.length > 1 && hidden.every((each) => each === width);
  return [FEATURES, ...(alike ? [`(${hidden.length}×${width})`] : hidden), CLASSES].join("-");
}

/** Random numbers, uniform in [−1, 1). */
export function uniformValues(count: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.uniform(-1, 1));
}
