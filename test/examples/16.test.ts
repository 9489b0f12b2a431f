import { expect, test } from "vitest";
import { makeAutoencoder, trainAutoencoder } from "../../examples/16-autoencoder.ts";
import type { ClassificationDataset } from "../../src/index.ts";
import { onBackends } from "./on-backends.ts";
import { PIXELS, spots } from "./spots.ts";

/** The mean squared distance per pixel from the plane of the two largest principal components, by power iteration. */
function distanceFromPlane({ features, count }: ClassificationDataset): number {
  const means = new Float64Array(PIXELS);
  features.forEach((value, index) => (means[index % PIXELS]! += value / count));
  let rows = Array.from({ length: count }, (_, row) =>
    means.map((mean, pixel) => features[row * PIXELS + pixel]! - mean),
  );
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((total, value, index) => total + value * b[index]!, 0);
  for (let component = 0; component < 2; component++) {
    let axis = new Float64Array(PIXELS).map((_, pixel) => Math.sin(pixel));
    for (let iteration = 0; iteration < 100; iteration++) {
      const next = new Float64Array(PIXELS);
      for (const row of rows) {
        const share = dot(row, axis);
        row.forEach((value, pixel) => (next[pixel]! += share * value));
      }
      const length = Math.sqrt(dot(next, next));
      axis = next.map((value) => value / length);
    }
    rows = rows.map((row) => {
      const share = dot(row, axis);
      return row.map((value, pixel) => value - share * axis[pixel]!);
    });
  }
  return rows.reduce((total, row) => total + dot(row, row), 0) / count / PIXELS;
}

const [train, held] = [spots(300, 1), spots(100, 2)];
const plane = distanceFromPlane(train);

test("the code has two numbers", () => {
  expect(makeAutoencoder("network").outputs).toEqual({ code: [2], image: [14, 14] });
});

onBackends("autoencoder", (backend) => {
  test("the linear one finds the plane of the principal components, and the network leaves it", async () => {
    const linear = await trainAutoencoder(backend(), "linear", { train, test: held, epochs: 40 });
    expect(linear.losses).toHaveLength(40);
    expect(linear.losses.at(-1)).toBeGreaterThan(plane);
    expect(linear.losses.at(-1)).toBeLessThan(1.02 * plane);
    const network = await trainAutoencoder(backend(), "network", { train, test: held, epochs: 40 });
    expect(network.testLoss).toBeLessThan(plane / 2);
    // The loss that was trained is that of the images that are returned.
    const squares = network.images.reduce((total, value, index) => total + (value - held.features[index]!) ** 2, 0);
    expect(squares / network.images.length).toBeCloseTo(network.testLoss, 6);
    expect(network.codes).toHaveLength(200);
  });
});
