/*
 * Options that a layer does not have, such as those of PyTorch, and numbers in place of options: PyTorch's layers take the
 * number of inputs first, so gru(8, 16) would otherwise have 8 units and multiHeadAttention(16, 4) one head.
 */
import { expect, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { dense, layers, type Layer } from "../../src/nn/index.ts";

/** A layer with the given options, an option that it does not have, and the option that the message names. */
const cases: readonly [string, (options: never) => Layer, string, string][] = [
  ["dense", (options) => dense(3, options), "biass", "bias"],
  ["conv2d", (options) => layers.conv2d(2, 3, options), "strides", "stride"],
  ["conv1d", (options) => layers.conv1d(2, 3, options), "dilations", "dilation"],
  ["depthwiseConv2d", (options) => layers.depthwiseConv2d(3, options), "groups", "activation"],
  ["convTranspose2d", (options) => layers.convTranspose2d(2, 3, options), "output_padding", "outputPadding"],
  ["maxPool2d", (options) => layers.maxPool2d(2, options), "dilation", "stride"],
  ["averagePool2d", (options) => layers.averagePool2d(2, options), "strides", "stride"],
  ["upsample", (options) => layers.upsample(2, options), "alignCorners", "mode"],
  ["batchNorm", (options) => layers.batchNorm(options), "eps", "epsilon"],
  ["layerNorm", (options) => layers.layerNorm(options), "elementwiseAffine", "epsilon"],
  ["rmsNorm", (options) => layers.rmsNorm(options), "eps", "epsilon"],
  ["groupNorm", (options) => layers.groupNorm(2, options), "eps", "epsilon"],
  ["embedding", (options) => layers.embedding(5, 2, options), "paddingIdx", "weights"],
  ["positionEmbedding", (options) => layers.positionEmbedding(5, options), "weight", "weights"],
  ["tiedEmbedding", (options) => layers.tiedEmbedding(5, 2, [layers.layerNorm()], options), "biases", "bias"],
  ["multiHeadAttention", (options) => layers.multiHeadAttention(options), "num_heads", "heads"],
  ["transformerBlock", (options) => layers.transformerBlock(options), "dimFeedforward", "hidden"],
  ["gru", (options) => layers.gru(4, options), "batchFirst", "sequences"],
  ["lstm", (options) => layers.lstm(4, options), "numLayers", "sequences"],
  ["residual", (options) => layers.residual([dense(2)], options), "projections", "projection"],
];

test.each(cases)("%s refuses unknown options, and a number in their place", (name, make, unknown, meant) => {
  const given = (options: unknown) => () => make(options as never);
  expect(given({ [unknown]: 1 })).toThrow(OptionError);
  expect(given({ [unknown]: 1 })).toThrow(`${name}: there is no option "${unknown}".`);
  expect(given({ [unknown]: 1 })).toThrow(meant);
  expect(given(16)).toThrow(`${name}: 16 is not an object of options`);
});

test("an option that is undefined counts as absent", () => {
  expect(layers.batchNorm({ eps: undefined } as never).config).toEqual(layers.batchNorm().config);
});
