import { describe, expect, test } from "vitest";
import { activation, dense, dropout, flatten, sequential, stepProducts } from "../../src/nn/index.ts";

const product = (rows: number, inner: number, columns: number, transposed: "left" | "right" | "neither") => ({
  rows,
  inner,
  columns,
  transposeLeft: transposed === "left",
  transposeRight: transposed === "right",
  precision: "float32",
});

const byText = (products: readonly object[]) =>
  products.map((attributes) => JSON.stringify(attributes, Object.keys(product(1, 1, 1, "neither")))).toSorted();

describe("the matrix products of a training step", () => {
  test("are those of each layer and of the gradients that training needs", () => {
    // The second layer is as wide as the examples, but the gradient of its input is needed.
    const layers = [
      flatten(),
      dense(6),
      activation("tanh"),
      dropout(0.5),
      dense(3, { activation: "relu", bias: false }),
    ];
    const model = sequential(layers, { inputShape: [2, 3] });
    expect(byText(stepProducts(model, 5))).toEqual(
      byText([
        product(5, 6, 6, "neither"),
        product(5, 6, 3, "neither"),
        product(6, 5, 3, "left"),
        product(5, 3, 6, "right"),
        product(6, 5, 6, "left"),
      ]),
    );
  });

  test("have the given precision; a model without parameters has none", () => {
    const model = sequential([dense(4)], { inputShape: [3] });
    expect(stepProducts(model, 2, "float16").map(({ precision }) => precision)).toEqual(["float16", "float16"]);
    expect(stepProducts(sequential([flatten()], { inputShape: [3] }), 2)).toEqual([]);
  });
});
