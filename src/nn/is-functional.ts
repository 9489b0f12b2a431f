import type { AnyModel, FunctionalModel } from "./functional.ts";

/**
 * Whether a model has named inputs and outputs. In a file of its own, so that a page with sequential models only does not load the
 * code of functional ones.
 */
export const isFunctional = (model: AnyModel): model is FunctionalModel => "type" in model.config;
