import { describe, expect, test } from "vitest";
import { augmentations, input, OptionError, type Augmentation } from "../../../src/index.ts";
import { refuses } from "../../ops/refusals.ts";
import { contextOf } from "./apply.ts";

const { affine, crop, cutout, flip, mixup, rotate, scale, shift } = augmentations;

describe("options outside their ranges", () => {
  const refusals: readonly (readonly [build: () => Augmentation, message: string])[] = [
    [() => shift({ pixels: -1 }), "shift pixels: -1 is out of range. Give a number of pixels of at least 0"],
    [() => shift({ fraction: 1.5 }), "shift fraction: 1.5 is out of range. Give a number in [0, 1]"],
    [() => shift({ pixels: 1, fraction: 0.5 } as never), "and not also pixels"],
    [() => shift({} as never), "shift pixels: it is missing"],
    [() => shift({ pixels: 1, fill: NaN }), "shift fill: NaN is out of range"],
    [() => crop({ padding: 1.5 }), "crop padding: 1.5 is out of range. Give a whole number of at least 0"],
    [
      () => crop({ padding: 1, mode: "mirror" as never }),
      'unknown mode "mirror". Choose one of constant, edge, reflect',
    ],
    [() => rotate({ degrees: 181 }), "rotate degrees: 181 is out of range. Give degrees in [0, 180]"],
    [() => affine({ rotate: -1 }), "affine rotate: -1 is out of range"],
    [() => affine({ shift: { pixels: -1 } }), "affine shift pixels: -1 is out of range"],
    [() => scale({ factor: [1.1, 0.9] }), "scale factor: [1.1,0.9] is out of range. Give two factors above 0"],
    [() => affine({ scale: [0, 1] }), "affine scale: [0,1] is out of range"],
    [() => flip({ axis: "diagonal" as never }), 'unknown axis "diagonal". Choose one of horizontal, vertical'],
    [() => flip({ axis: "vertical", probability: 2 }), "flip probability: 2 is out of range. Give a number in [0, 1]"],
    [() => cutout({ size: 0 }), "cutout size: 0 is out of range. Give a whole number of at least 1"],
    [() => mixup({ alpha: 0 }), "mixup alpha: 0 is out of range"],
    [() => mixup({ alpha: 1, classes: 1 }), "mixup classes: 1 is out of range. Give a whole number of at least 2"],
  ];
  test.each(refusals)("%s", (build, message) => {
    expect(build).toThrow(OptionError);
    expect(build).toThrow(message);
  });
});

describe("batches that do not fit", () => {
  const images = input("features", [8, 28, 28]);
  const labels = input("labels", [8], "uint32");
  const context = contextOf(1);
  refuses([
    [
      "flat features",
      () => shift({ pixels: 1 }).apply({ features: input("features", [8, 784]), labels }, context),
      "augmentation shift: the features, float32[8, 784], are not images. Give features [examples, height, width] " +
        "or [examples, height, width, channels]: a model with an input shape such as [28, 28], whose first layer may be flatten().",
    ],
    [
      "no features",
      () => flip({ axis: "vertical" }).apply({ left: images }, context),
      "augmentation flip: the batch has no features. Give features [examples, height, width] " +
        "or [examples, height, width, channels]: a model with an input shape such as [28, 28], whose first layer may be flatten().",
    ],
    [
      "mixup of integer labels without the number of classes",
      () => mixup({ alpha: 1 }).apply({ features: images, labels }, context),
      "augmentation mixup: the labels labels uint32[8] are integers, and the number of classes is not known. " +
        "Give the number of classes, such as mixup({ alpha: 0.2, classes: 10 }).",
    ],
    [
      "mixup of integers",
      () => mixup({ alpha: 1 }).apply({ features: labels }, context),
      "augmentation mixup: the features labels uint32[8] cannot be mixed. Give float32 features [examples, …].",
    ],
  ]);

  test("a reflection that needs more pixels than an image has", () => {
    const augmentation = crop({ padding: 28, mode: "reflect" });
    expect(() => augmentation.apply({ features: images }, context)).toThrow(
      "crop padding: 28 is out of range. Give at most 27 to reflect images of 28 × 28.",
    );
  });
});
