import { expect, test } from "vitest";
import { decode, drawLatents, trainVae } from "../../examples/17-variational-autoencoder.ts";
import { onBackends } from "./on-backends.ts";
import { PIXELS, spots } from "./spots.ts";

const train = spots(300, 1);
const held = spots(100, 2);

/** Where an image is bright: the mean column and row, weighted by the squares of its levels. */
function placeOf(image: Float32Array): [x: number, y: number] {
  const total = (weight: (pixel: number) => number) =>
    image.reduce((sum, level, pixel) => sum + level ** 2 * weight(pixel), 0);
  const all = total(() => 1);
  return [total((pixel) => pixel % 14) / all, total((pixel) => Math.floor(pixel / 14)) / all];
}

/** The cross-entropy of images with probabilities of their pixels, per image. */
const crossEntropy = (levels: ArrayLike<number>, probabilityAt: (index: number) => number) =>
  Array.from(levels).reduce((total, level, index) => {
    const p = probabilityAt(index);
    return total - level * Math.log(p) - (1 - level) * Math.log1p(-p);
  }, 0) /
  (levels.length / PIXELS);

const deviation = (values: readonly number[]) => {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length);
};

onBackends("variational autoencoder", (backend) => {
  test("makes spots of random numbers, at all places", async () => {
    const found = await trainVae(backend(), { train, test: held, epochs: 16 });
    const [first, last] = [found.epochs[0]!, found.epochs.at(-1)!];
    // β rises from 0 by 1/48 per step, and the first epoch has 6 steps.
    expect(first.loss - first.reconstruction).toBeLessThan((first.divergence * 5) / 48);
    expect(last.loss).toBeCloseTo(last.reconstruction + last.divergence, 3);
    expect(last.loss).toBeLessThan(first.loss / 2);

    const divergence = found.mean.reduce((total, mean, index) => {
      const logVariance = found.logVariance[index]!;
      return total + (mean ** 2 + Math.exp(logVariance) - 1 - logVariance) / 2;
    }, 0);
    expect(found.test.divergence).toBeCloseTo(divergence / held.count, 4);
    expect(found.test.divergence).toBeGreaterThan(4);
    const rebuilt = await decode(backend(), found.decoder, found.mean);
    expect(found.test.reconstruction).toBeCloseTo(
      crossEntropy(held.features, (index) => rebuilt[index]!),
      3,
    );
    // Less than half as far from the entropy of the images, the least possible value, as the mean image.
    const means = new Float64Array(PIXELS);
    held.features.forEach((level, index) => (means[index % PIXELS]! += level / held.count));
    const worst = crossEntropy(held.features, (index) => means[index % PIXELS]!);
    const best = crossEntropy(held.features, (index) => Math.min(1 - 1e-9, Math.max(1e-9, held.features[index]!)));
    expect(found.test.reconstruction).toBeGreaterThan(best);
    expect(found.test.reconstruction).toBeLessThan(best + (worst - best) / 2);

    const images = await decode(backend(), found.decoder, drawLatents(60, 3));
    expect(images).toHaveLength(60 * PIXELS);
    const places = Array.from({ length: 60 }, (_, index) =>
      placeOf(images.subarray(index * PIXELS, (index + 1) * PIXELS)),
    );
    for (const axis of [0, 1] as const) expect(deviation(places.map((place) => place[axis]))).toBeGreaterThan(0.6);
  });
});
