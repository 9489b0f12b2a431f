import { makeClassificationDataset, Random, type ClassificationDataset } from "../../src/index.ts";

const SIDE = 14;
export const PIXELS = SIDE * SIDE;

/** The image of a spot at a position. */
export const spotAt = (x: number, y: number): Float32Array =>
  Float32Array.from({ length: PIXELS }, (_, pixel) => {
    const squared = ((pixel % SIDE) - x) ** 2 + (Math.floor(pixel / SIDE) - y) ** 2;
    return Math.exp(-squared / 8);
  });

/** Images of spots. The position, two numbers, describes each of them completely, but they do not lie in a plane. */
export function spots(count: number, seed: number): ClassificationDataset {
  const random = new Random(seed);
  const features = new Float32Array(count * PIXELS);
  for (let image = 0; image < count; image++) {
    features.set(spotAt(random.uniform(3, 10), random.uniform(3, 10)), image * PIXELS);
  }
  const labels = new Uint32Array(count);
  return makeClassificationDataset({ name: "spots", features, shape: [SIDE, SIDE], labels, classes: ["spot"] });
}
