import { predictedPicture, prediction } from "../state/index.ts";
import { isDrawing, isEmpty, isSample, picture } from "./pad-canvas.tsx";

/**
 * The digit that the visitor's own drawing is read as, and its probability; undefined without a drawing, before its last
 * stroke is finished, and while the network reads it.
 */
export function readDrawing(): { readonly digit: number; readonly probability: number } | undefined {
  const probabilities = prediction.value?.probabilities;
  if (isSample.value || isEmpty.value || isDrawing.value) return undefined;
  if (!probabilities || picture.value !== predictedPicture.value) return undefined;
  const probability = Math.max(...probabilities);
  return { digit: probabilities.indexOf(probability), probability };
}
