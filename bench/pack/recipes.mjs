import { readFileSync } from "node:fs";

/**
 * A training run; pytorch_mnist.py reads the same file.
 *
 * @typedef {object} Recipe
 * @property {string} name
 * @property {number} batch
 * @property {number} width of the hidden layer
 * @property {number} epochs
 * @property {number} learningRate at the start of the cosine schedule
 * @property {number} [maxSteps] ends the run, and its schedule, earlier
 *
 * @typedef {{ target: number, seeds: number, recipes: Recipe[] }} Plan `target` is the test accuracy to reach
 */

/** Options that shorten a run, for `parseArgs`. */
export const measureOptions = /** @type {const} */ ({
  epochs: { type: "string" },
  "max-steps": { type: "string" },
  seeds: { type: "string" },
});

/**
 * The recipes of recipes.json, changed by the options.
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
 * Parses the number of an option.
 *
 * @param {string} name
 * @param {string | undefined} text
 * @returns {number | undefined} undefined if the option is not given
 * @throws Error for a text that is not a whole number of at least 1
 */
export function countOf(name, text) {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text))
    throw new Error(`--${name}: "${text}" is out of range. Give a whole number of at least 1.`);
  return Number(text);
}
