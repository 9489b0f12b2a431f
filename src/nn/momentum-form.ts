/**
 * Where momentum keeps the learning rate: "classic" inside the velocity, as the papers have it, so that past gradients
 * keep the rate of their own steps; "pytorch" outside, as PyTorch's SGD has it, so that the present rate multiplies them
 * all. With a constant rate both are the same.
 */
export const momentumForms = ["classic", "pytorch"] as const;

/** One of `momentumForms`. */
export type MomentumForm = (typeof momentumForms)[number];
