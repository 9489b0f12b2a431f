import { percent } from "../../shared/format.ts";

/** As wide as a digit. */
const FIGURE_SPACE = "\u2007";

/** A percentage without decimals, always as wide as "100 %", so that nothing moves when it changes. */
export const evenPercent = (share: number): string => percent(share, 0).padStart(5, FIGURE_SPACE);
