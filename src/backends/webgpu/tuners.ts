/*
 * What tuning needs, as one part that is loaded when something is tuned.
 */
export { BackgroundTuner } from "./background-tuning.ts";
export { tuneProducts } from "./tuning.ts";
