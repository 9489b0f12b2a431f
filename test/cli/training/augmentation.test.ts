import { describe, expect, test } from "vitest";
import { augmentationsFor, augmentText } from "../../../src/cli/training/augmentation.ts";
import { blankMnist } from "../../../src/cli/training/network.ts";
import { createCpuBackend } from "../../../src/index.ts";
import { defineGraph } from "../../../src/graph/graph.ts";
import { input, stepScalar } from "../../../src/graph/leaves.ts";

const digits = blankMnist();

describe("augmentText", () => {
  test.each<[string, string]>([
    ["shift,rotate", "shift=2,rotate=10"],
    [" shift = 3 , flip", "shift=3,flip=0.5"],
    ["affine", "shift=2,rotate=10,scale=0.1"],
    ["mixup=0.4,crop,cutout", "mixup=0.4,crop=2,cutout=6"],
    ["none", "none"],
  ])("%s is %s", (text, expected) => {
    expect(augmentText(text)).toBe(expected);
    expect(augmentText(expected)).toBe(expected);
  });

  test.each<[string, string]>([
    ["shfit", '--augment: there is no augmentation "shfit". Did you mean shift?'],
    [
      "blur",
      '--augment: there is no augmentation "blur". Choose from shift=2,rotate=10,scale=0.1,flip=0.5,crop=2,cutout=6,mixup=0.2; affine means shift,rotate,scale, and none nothing.',
    ],
    ["shift=two", '--augment: "two" is not an amount of shift. Give a number such as shift=2.'],
    ["shift=", '--augment: "" is not an amount of shift.'],
    ["rotate=200", "--augment, affine rotate: 200 is out of range."],
    ["shift=-1", "--augment, shift pixels: -1 is out of range."],
    ["affine,rotate=5", "--augment: rotate is given twice."],
    ["", '--augment: there is no augmentation "".'],
  ])("refuses %o", (text, message) => {
    expect(() => augmentText(text)).toThrow(message);
  });
});

test("moves of images are one interpolation, and shifts alone need none", () => {
  const named = (text: string) => augmentationsFor(text, digits, { scale: 1, offset: 0 }).map(({ name }) => name);
  expect(named("shift=2,rotate=10,scale=0.1")).toEqual(["affine"]);
  expect(named("shift=2")).toEqual(["shift"]);
  expect(named("cutout=4,shift=2,flip=0.5")).toEqual(["cutout", "shift", "flip"]);
  expect(named("mixup=0.2,rotate=5")).toEqual(["affine", "mixup"]);
});

test("pixels from outside an image are black, which normalization maps to its offset", async () => {
  const [shift] = augmentationsFor("shift=2", digits, { scale: 1 / 64, offset: -2 });
  const features = input("features", [8, 4, 4]);
  const keyAt = (index: number) => stepScalar(`key ${index}`, (step) => 7 * step + index, "uint32");
  const shifted = shift!.apply({ features }, { keyAt }).features!;
  const session = createCpuBackend().createSession();
  const executable = await session.compile(defineGraph({ shifted }));
  session.write(features, new Float32Array(8 * 16).fill(1.5));
  await executable.run(0, 1);
  const values = new Set(await executable.read("shifted"));
  expect([...values].toSorted()).toEqual([-2, 1.5]);
});
