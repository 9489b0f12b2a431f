/*
 * The cases of ops in which kernels share a dispatch, chosen by what is new in the shared kernels. Compiling a shared kernel takes up to
 * a second on lavapipe, and all cases took a quarter of the tests' time.
 */
import { openDevice, type DeviceOptions } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { compilerOnlyGpu } from "../gpu.ts";
import { allCases } from "../ops/all-cases.ts";
import type { OpCase } from "../ops/cases.ts";
import { buildCase, caseOutputs } from "../ops/evaluate.ts";
import { tiledBackend } from "../ops/tiled-backend.ts";

/** What a shared dispatch does, without sizes: how many kernels it has, their ops, and their constants as 0, 1 or more. */
function formsOf(name: string, code: string): string[] {
  const kernels = name.split("; ");
  return kernels.flatMap((kernel, position) => {
    const ops = kernel.split(" + ");
    const constants = code.matchAll(new RegExp(`const kernel_${position}_(\\w+ = (?:true|false|\\d+u));`, "g"));
    const sizes = Array.from(constants, ([, text]) =>
      text!.replace(/\d+u/, (count) => `${Math.min(2, parseInt(count))}`),
    );
    return [`${kernels.length} kernels`, ...ops, [ops[0], ...sizes].join(", ")];
  });
}

/** What compiling a case of an op has shown. */
interface CompiledCase {
  readonly opCase: OpCase;
  readonly dispatches: number;
  /** Those of its shared dispatches whose WGSL no case before has. */
  readonly forms: readonly string[];
}

/** Compiles all cases with merged kernels, which Dawn's compiler must accept, without running them. */
async function compiledCases(options: DeviceOptions): Promise<CompiledCase[]> {
  const source = compilerOnlyGpu();
  let forms: string[] = [];
  const note = (name: string, code: string) => void (name.includes("; ") && forms.push(...formsOf(name, code)));
  const device = await openDevice(source, { ...options, onKernel: note });
  const compiled: CompiledCase[] = [];
  for (const opCase of allCases) {
    forms = [];
    const session = tiledBackend(device, undefined, true).createSession();
    const { dispatches } = await session.compile(defineGraph(caseOutputs(buildCase(opCase))));
    session.dispose();
    compiled.push({ opCase, dispatches: dispatches.length, forms });
  }
  device.destroy();
  source.release();
  return compiled;
}

/** Recurrent layers over several positions have more dispatches, which take seconds to compile and are those of shorter ones. */
const MOST_DISPATCHES = 12;

/** Cases that have all forms of shared dispatches between them, those with few dispatches first. */
export async function casesOfEachForm(options: DeviceOptions): Promise<OpCase[]> {
  const compiled = await compiledCases(options);
  const known = new Set<string>();
  return compiled
    .filter(({ dispatches }) => dispatches <= MOST_DISPATCHES)
    .toSorted((one, other) => one.dispatches - other.dispatches)
    .filter(({ forms }) => {
      const isNew = forms.some((form) => !known.has(form));
      for (const form of forms) known.add(form);
      return isNew;
    })
    .map(({ opCase }) => opCase);
}
