/** How activations are stored between the passes. */
export const activationStorages = ["float32", "float16"] as const;

export type ActivationStorage = (typeof activationStorages)[number];
