/*
 * docs/ops.md lists the ops that the library exports, and says of each whether it has a gradient and which kernels it takes.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { topologicalOrder } from "../../src/graph/graph.ts";
import { input, parameter } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import * as library from "../../src/index.ts";
import { add, square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { evaluate } from "../nn/run.ts";
import { allCases } from "./all-cases.ts";
import type { OpCase } from "./cases.ts";

interface Row {
  readonly name: string;
  readonly gradient: string;
  readonly kernel: string;
}

const page = readFileSync(new URL("../../docs/ops.md", import.meta.url), "utf8");

/** The rows of the tables whose first column has this heading, as their cells. */
function rowsBelow(heading: string): string[][] {
  const tables = page.split("\n\n").filter((block) => block.startsWith(`| ${heading} |`));
  const lines = tables.flatMap((table) => table.trim().split("\n").slice(2));
  return lines.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const nameIn = (cell = "") => /^`(\w+)`$/.exec(cell)?.[1] ?? `not a name: ${cell}`;

const ops: Row[] = rowsBelow("op").map(([op, , , gradient, kernel]) => ({
  name: nameIn(op),
  gradient: gradient!,
  kernel: kernel!,
}));

/** The functions of src/ops that the library exports. */
function exportedNames(): string[] {
  const modules = import.meta.glob<Record<string, unknown>>(
    ["../../src/ops/*/index.ts", "../../src/ops/gradients.ts"],
    { eager: true },
  );
  const defined = new Set(Object.values(modules).flatMap((module) => Object.values(module)));
  const exported = Object.entries(library).filter(([, value]) => typeof value === "function" && defined.has(value));
  return exported.map(([name]) => name);
}

function nodesOf({ inputs, build }: OpCase): readonly Tensor[] {
  const leaves = Object.entries(inputs).map(([name, { shape, dtype }]) => [name, input(name, shape, dtype)] as const);
  return topologicalOrder([build(Object.fromEntries(leaves))]);
}

const cases = allCases.map((opCase) => ({ opCase, nodes: nodesOf(opCase) }));

/** Kernels with a dispatch of their own. */
const kernelOf = ({ op }: Tensor): string[] =>
  op.traits?.kind === "anchor" || op.traits?.kind === "atomic" ? [op.kernel ?? op.name] : [];

/** Ops that the cases of other ops apply to their inputs. */
const prepared: Readonly<Record<string, string>> = { klDivergence: "logSoftmax" };

const flows = (node: Tensor) => node.dtype === "float32" && !!node.op.gradient?.(node, node).some(Boolean);

test("every exported op is on the page once, and the page has no others", () => {
  const others = rowsBelow("function").map(([cell]) => nameIn(cell));
  expect([...ops.map(({ name }) => name), ...others].toSorted()).toEqual(exportedNames().toSorted());
  expect(ops.length).toBeGreaterThan(80);
});

describe.each(ops)("$name", ({ name, gradient, kernel }) => {
  const own = cases.filter(({ opCase }) => opCase.covers.includes(name));
  /** The nodes of the op itself; ops that are made of others have none. */
  const named = own.flatMap(({ nodes }) => nodes.filter(({ op }) => op.name === name));

  test(`has the gradient ${gradient}`, async () => {
    const checked = own.filter(({ opCase: { differentiable = {}, parityOnly } }) => {
      return Object.keys(differentiable).length > 0 && !parityOnly;
    });
    if (gradient === "yes") return expect(checked.length).toBeGreaterThan(0);
    if (gradient === "no") {
      expect(named.filter(flows)).toEqual([]);
      return expect(named.length > 0 || checked.length === 0).toBe(true);
    }
    expect(gradient).toBe("0");
    const x = parameter("x", [2], [0.3, -1.7]);
    const y = (library as unknown as Record<string, (x: Tensor) => Tensor>)[name]!(x);
    const [slope] = gradients(sum(add(square(y), x)), [x]);
    const { outputs } = await evaluate({ slope: slope! });
    expect(outputs["slope"]).toEqual([1, 1]);
  });

  test(`takes the kernels ${kernel}`, () => {
    const listed = [...kernel.matchAll(/`(\w+)`/g)].map(([, one]) => one!);
    const taken = own.map(({ nodes }) => [...new Set(nodes.flatMap(kernelOf))].filter((one) => one !== prepared[name]));
    expect(taken.map((kernels) => kernels.toSorted())).toContainEqual(listed.toSorted());
    if (listed.length > 0) return expect(kernel).toBe(listed.map((one) => `\`${one}\``).join(", "));
    expect(kernel).toMatch(/^(fused|view)$/);
    const kinds = new Set(named.map(({ op }) => op.traits?.kind ?? op.kind));
    for (const kind of kinds) expect(kind === "view" || kind === "pack").toBe(kernel === "view");
  });
});
