import { expect, test } from "vitest";
import type { PointwiseKernel, WebGPUKernel } from "../../src/ops/kernel.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import activations from "../../shaders/activations.wgsl?raw";
import arithmetic from "../../shaders/elementwise.wgsl?raw";
import mathematics from "../../shaders/functions.wgsl?raw";
import { allCases } from "./all-cases.ts";
import { buildCase, caseGradients } from "./evaluate.ts";

/** Exports that do not create an op: helpers of ops or backends. */
const HELPERS = new Set([
  "checkedAxes",
  "elementwise",
  "makeActivation",
  "packedSize",
  "sumToShape",
  "dropoutThreshold",
  "matrixProducts",
  "productOf",
  "sidesOf",
  "smallestSize",
  "windowsAlong",
]);

const definitions = import.meta.glob<Record<string, unknown>>("../../src/ops/*/index.ts", { eager: true });
const references = import.meta.glob<{ kernels: Record<string, unknown> }>("../../src/ops/*/cpu.ts", { eager: true });

const webgpu = import.meta.glob<{ kernels: Record<string, WebGPUKernel> }>("../../src/ops/*/webgpu.ts", {
  eager: true,
});

const exported = Object.values(definitions)
  .flatMap((module) => Object.keys(module))
  .filter((name) => !HELPERS.has(name));
const kernelNames = Object.values(references).flatMap(({ kernels }) => Object.keys(kernels));

const built = allCases.map(buildCase);
/** Everything that the cases compute, forward and backward. */
const parityNodes = built.flatMap((graph) => topologicalOrder([graph.output, ...Object.values(caseGradients(graph))]));
const checkedNodes = built
  .filter(({ opCase }) => opCase.differentiable && !opCase.parityOnly)
  .flatMap(({ output }) => topologicalOrder([output]));

test("names of cases are unique", () => {
  const names = allCases.map(({ name }) => name);
  expect(names.filter((name, place) => names.indexOf(name) !== place)).toEqual([]);
});

test("every exported op has a case, and cases test exported ops", () => {
  const covered = new Set(allCases.flatMap(({ covers }) => covers));
  expect(exported.filter((name) => !covered.has(name))).toEqual([]);
  expect([...covered].filter((name) => !exported.includes(name))).toEqual([]);
});

test("every kernel of the CPU is run by a case", () => {
  const reached = new Set(parityNodes.map(({ op }) => op.kernel ?? op.name));
  expect(kernelNames.filter((name) => !reached.has(name))).toEqual([]);
});

test("the kind of an op's WebGPU kernel matches its traits", () => {
  const kinds = new Map(
    Object.values(webgpu).flatMap(({ kernels }) => Object.entries(kernels).map(([name, { kind }]) => [name, kind])),
  );
  const computed = parityNodes.map(({ op }) => op).filter(({ traits }) => traits && traits.kind !== "pack");
  expect(computed.length).toBeGreaterThan(0);
  for (const { name, kernel, traits } of computed) expect(kinds.get(kernel ?? name), name).toBe(traits!.kind);
});

test("every elementwise WGSL function is run by a case", () => {
  const elementwise = parityNodes.filter(({ op }) => op.kernel === "elementwise");
  const kernel = webgpu["../../src/ops/elementwise/webgpu.ts"]!.kernels["elementwise"] as PointwiseKernel;
  const place = { index: "index", row: "row", column: "column" };
  const reached = new Set(
    elementwise.map((node) => {
      // The same tensor has the same text: a tensor minus itself has a function of its own.
      const inputs = node.inputs.map((tensor) => {
        const text = () => `input_${parityNodes.indexOf(tensor)}`;
        return { here: text, at: text, vec4At: text };
      });
      return /^\w+/.exec(kernel.expression(node, inputs, place, { float: String, argument: String }))![0];
    }),
  );
  const source = arithmetic + activations + mathematics;
  const functions = Array.from(source.matchAll(/^fn (\w+)\(/gm), ([, name]) => name!);
  const calledByOthers = (name: string) => source.match(new RegExp(`\\b${name}\\(`, "g"))!.length > 1;
  expect(functions.filter((name) => !reached.has(name) && !calledByOthers(name))).toEqual([]);
});

test("every op with a gradient has a gradient check", () => {
  // Derivatives are ops without a gradient, which would be a second derivative.
  const flows = (node: Tensor) => node.dtype === "float32" && node.op.gradient?.(node, node).some(Boolean);
  const differentiable = parityNodes.filter(flows).map(({ op }) => op.name);
  const checked = new Set(checkedNodes.map(({ op }) => op.name));
  expect([...new Set(differentiable)].filter((name) => !checked.has(name))).toEqual([]);
});
