import { comparisons as elementwise } from "./elementwise.ts";
import { comparisons as images } from "./images.ts";
import { comparisons as losses } from "./losses.ts";
import { comparisons as moves } from "./moves.ts";
import { comparisons as reductions } from "./reductions.ts";
import { comparisons as sequences } from "./sequences.ts";
import type { Comparison } from "./comparison.ts";

/** The comparisons of all topics. */
export const comparisons: readonly Comparison[] = [
  ...elementwise,
  ...reductions,
  ...losses,
  ...moves,
  ...images,
  ...sequences,
];
