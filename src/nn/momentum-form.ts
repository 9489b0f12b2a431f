/**
 * Where momentum applies the learning rate: "classic" as in the papers, inside the velocity, so that past gradients
 * keep the learning rate of their own steps; "pytorch" as in PyTorch's SGD, outside, so that the current learning rate
 * applies to all. With a constant learning rate both are equal.
 */
export const momentumForms = ["classic", "pytorch"] as const;

/** One of `momentumForms`. */
export type MomentumForm = (typeof momentumForms)[number];
