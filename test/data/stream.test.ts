import { expect, test } from "vitest";
import { makeStream } from "../../src/data/stream.ts";
import { DataError } from "../../src/errors.ts";

const described = {
  name: "stream",
  tensors: { features: { shape: [4], dtype: "float32" }, labels: { shape: [], dtype: "uint32" } },
  classes: ["a", "b"],
  batches: [],
};

test.each<[string, object, RegExp]>([
  ["no tensors", { tensors: {} }, /there are no tensors/],
  [
    "an unknown type",
    { tensors: { features: { shape: [1], dtype: "int8" } } },
    /the tensor features: int8 is not a type/,
  ],
  ["an invalid shape", { tensors: { features: { shape: [0], dtype: "uint8" } } }, /\[0\] is not the shape/],
  [
    "classes without labels",
    { tensors: { features: { shape: [1], dtype: "uint8" } } },
    /classes, but not a tensor labels/,
  ],
  ["classes without features", { tensors: { labels: { shape: [], dtype: "uint32" } } }, /but not the tensor features/],
  ["outputs without targets", { outputs: ["y"] }, /outputs, but not a tensor targets of float32 and shape \[1\]/],
  ["half a step per epoch", { stepsPerEpoch: 0.5 }, /0.5 is not a number of batches per epoch/],
  ["no batches", { batches: 3 }, /the batches are of type number/],
])("makeStream refuses %s", (_name, changes, message) => {
  const make = () => makeStream({ ...described, ...changes } as never);
  expect(make).toThrow(DataError);
  expect(make).toThrow(message);
});
