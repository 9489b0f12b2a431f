/*
 * The visitor's own drawings as a part of the training data. The worker loads this code when they are first wanted.
 */
import { makeClassificationDataset } from "../../../index.ts";
import { storedDrawings } from "../collection/store.ts";
import type { DigitsData } from "./data.ts";

/**
 * Adds the stored drawings to the training images. Without drawings the data stay as they are: so do they if the browser
 * stores nothing, which the page says where drawings are kept.
 * @param copies how often an epoch has each drawing
 */
export async function withDrawings(data: DigitsData, copies: number): Promise<DigitsData> {
  const drawings = await storedDrawings().catch(() => []);
  if (drawings.length === 0) return data;
  const { features, labels, shape, classes } = data.train;
  const width = features.length / labels.length;
  const added = copies * drawings.length;
  const allFeatures = new Uint8Array(features.length + added * width);
  const allLabels = new Uint32Array(labels.length + added);
  allFeatures.set(features);
  allLabels.set(labels);
  for (let index = 0; index < added; index++) {
    const { pixels, label } = drawings[index % drawings.length]!;
    allFeatures.set(pixels, features.length + index * width);
    allLabels[labels.length + index] = label;
  }
  const name = `${data.name} with ${drawings.length} of our drawings × ${copies}`;
  const train = makeClassificationDataset({ name, features: allFeatures, shape, labels: allLabels, classes });
  return { ...data, name, train };
}
