/** The type in which activations are stored between the forward and the backward pass. */
export type ActivationStorage = "float32" | "float16";

/** The types in which activations can be stored between the passes. */
export const activationStorages: readonly ActivationStorage[] = ["float32", "float16"];
