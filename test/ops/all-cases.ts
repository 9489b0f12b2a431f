import type { OpCase } from "./cases.ts";

const files = import.meta.glob<{ cases: readonly OpCase[] }>("./*.cases.ts", { eager: true });

/** Every case of every family. */
export const allCases: readonly OpCase[] = Object.values(files).flatMap(({ cases }) => cases);
