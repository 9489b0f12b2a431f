import { readFileSync } from "node:fs";

/**
 * What is trained; pytorch_mnist.py reads the same file.
 *
 * @typedef {object} Recipe
 * @property {string} name
 * @property {number} batch
 * @property {number} width of the hidden layer
 * @property {number} epochs
 * @property {number} learningRate where the cosine schedule begins
 * @property {number} [maxSteps] ends the run, and its schedule, earlier
 *
 * @typedef {{ target: number, seeds: number, recipes: Recipe[] }} Plan `target` is the test accuracy aimed at
 */

/** Options that make a run shorter, as `parseArgs` takes them. */
export const measureOptions = /** @type {const} */ ({
  epochs: { type: "string" },
  "max-steps": { type: "string" },
  seeds: { type: "string" },
});

/**
 * The recipes of recipes.json with what the options change.
 *
 * @param {{ epochs?: string, "max-steps"?: string, seeds?: string }} options
 * @returns {Plan}
 */
export function plannedRecipes(options) {
  const plan = JSON.parse(readFileSync(new URL("recipes.json", import.meta.url), "utf8"));
  const [epochs, maxSteps, seeds] = ["epochs", "max-steps", "seeds"].map((name) => countOf(name, options[name]));
  return {
    ...plan,
    ...(seeds !== undefined && { seeds }),
    recipes: plan.recipes.map((recipe) => ({
      ...recipe,
      ...(epochs !== undefined && { epochs }),
      ...(maxSteps !== undefined && { maxSteps }),
    })),
  };
}

/**
 * The number that an option gives.
 *
 * @param {string} name
 * @param {string | undefined} text
 * @returns {number | undefined} undefined where the option is not given
 * @throws Error where it is no number of things
 */
export function countOf(name, text) {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name}: "${text}" is not a whole number of at least 1. Give one.`);
  return Number(text);
}
