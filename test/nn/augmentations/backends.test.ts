import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/backends/backend.ts";
import { augmentations } from "../../../src/index.ts";
import { acquireBackend } from "../../gpu.ts";
import { acquireWasmBackend } from "../../wasm.ts";
import { apply, images } from "./apply.ts";

const { affine, crop, cutout, flip, mixup, rotate, scale, shift } = augmentations;

const batch = { features: images([7, 9, 6, 3]), labels: { values: Uint32Array.of(0, 1, 2, 0, 1, 2, 0), shape: [7] } };

/**
 * Each augmentation with the largest difference to the CPU, and its dispatches. WGSL allows an absolute error of 2⁻¹¹ in
 * the sine and cosine of an angle, which moves the corners of these images by 0.003 pixels.
 */
const cases = [
  { augmentation: shift({ pixels: 2, fill: -1 }), error: 0, dispatches: 4 },
  { augmentation: crop({ padding: 3, mode: "reflect" }), error: 0, dispatches: 4 },
  { augmentation: flip({ axis: "horizontal" }), error: 0, dispatches: 2 },
  { augmentation: cutout({ size: 3, fill: -1 }), error: 0, dispatches: 2 },
  { augmentation: scale({ factor: [0.5, 2] }), error: 1e-4, dispatches: 4 },
  { augmentation: rotate({ degrees: 90 }), error: 0.04, dispatches: 4 },
  {
    augmentation: affine({ rotate: 20, scale: [0.8, 1.2], shift: { pixels: 2 }, fill: -1 }),
    error: 0.04,
    dispatches: 4,
  },
  { augmentation: mixup({ alpha: 0.3, classes: 3 }), error: 1e-6, dispatches: 4 },
];

describe.each([
  { name: "wasm", acquire: acquireWasmBackend },
  { name: "webgpu", acquire: () => acquireBackend() },
])("$name", ({ acquire }) => {
  let backend: Backend;
  beforeAll(async () => void (backend = await acquire()));
  afterAll(() => backend.dispose());

  test.each(cases.map((one) => ({ ...one, name: one.augmentation.name })))(
    "$name equals the CPU and takes few dispatches",
    async ({ augmentation, error, dispatches }) => {
      const wanted = await apply(augmentation, batch, { seed: 21 });
      const found = await apply(augmentation, batch, { seed: 21, backend });
      for (const [name, values] of Object.entries(wanted.results)) {
        const differences = Array.from(values, (value, index) => Math.abs(value - found.results[name]![index]!));
        expect(Math.max(...differences), name).toBeLessThanOrEqual(error);
      }
      expect(wanted.results["features"]).not.toEqual(batch.features.values);
      expect(found.kernels, found.kernels.join(" | ")).toHaveLength(dispatches);
      expect(found.kernels.filter((kernel) => kernel.includes("(reference)"))).toEqual([]);
    },
  );
});
