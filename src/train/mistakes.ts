/**
 * Ranks the examples whose prediction is not their label, most confident first.
 * @param labels true classes
 * @param predictions predicted classes, one for each label
 * @param confidence how confident the model is in its prediction for an example, such as the probability of the predicted
 * class; only the order matters
 * @returns indices of examples; those of equal confidence are in ascending order
 */
export function rankMistakes(
  labels: Uint32Array,
  predictions: Uint32Array,
  confidence: (example: number) => number,
): number[] {
  const mistakes = Array.from(labels.keys()).filter((example) => predictions[example] !== labels[example]);
  return mistakes.sort((a, b) => confidence(b) - confidence(a));
}
