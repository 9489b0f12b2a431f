import type { OpCase } from "./cases.ts";

const files = import.meta.glob<{ cases: readonly OpCase[] }>("./*.cases.ts", { eager: true });

/** The cases of all families. */
export const allCases: readonly OpCase[] = Object.values(files).flatMap(({ cases }) => cases);

const isMatrix = ({ inputs }: OpCase) =>
  Object.values(inputs).some(({ shape }) => shape.length > 1 && shape.every((size) => size > 1));

/** One case for each op: the first whose result has rows and columns. */
export const caseOfEachOp = [...new Set(allCases.flatMap(({ covers }) => covers))].map((op) => {
  const covering = allCases.filter(({ covers }) => covers.includes(op));
  return { op, opCase: covering.find(isMatrix) ?? covering[0]! };
});
