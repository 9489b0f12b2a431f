/** The types in which activations can be stored between the passes. */
export const activationStorages = ["float32", "float16"] as const;

/** The type in which activations are stored between the forward and the backward pass. */
export type ActivationStorage = (typeof activationStorages)[number];
