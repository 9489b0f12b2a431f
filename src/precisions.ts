/*
 * The number types that a training step may use in place of float32.
 */

/** The precisions of a product's operands. Sums are float32 in both. */
export const precisions = ["float32", "float16"] as const;

export type Precision = (typeof precisions)[number];

/** The type in which activations are stored between the forward and the backward pass. */
export type ActivationStorage = "float32" | "float16";

/** The types in which activations can be stored between the passes. */
export const activationStorages: readonly ActivationStorage[] = ["float32", "float16"];
