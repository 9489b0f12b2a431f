import type { OpCase } from "./cases.ts";

const files = import.meta.glob<{ cases: readonly OpCase[] }>("./*.cases.ts", { eager: true });

/** The cases of all families. */
export const allCases: readonly OpCase[] = Object.values(files).flatMap(({ cases }) => cases);
