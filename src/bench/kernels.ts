/*
 * Benchmarks one kernel: compares its result with the CPU's, then times it.
 */
import type { Backend, Executable, NumericArray, Session } from "../backends/backend.ts";
import { createCpuBackend } from "../backends/cpu/index.ts";
import type { Tensor } from "../graph/tensor.ts";
import { writeValues, type KernelCase, type Problem, type Result } from "./cases.ts";
import { requireClose } from "./check.ts";
import { Replay, type TimingSettings } from "./replay.ts";
import { ratesOf, type Ceilings, type Clock, type KernelRow } from "./report.ts";

/** The backend and settings that all measurements share. */
export interface Bench {
  readonly backend: Backend;
  readonly ceilings: Ceilings;
  readonly clock: Clock;
  readonly settings: TimingSettings;
}

/**
 * Checks a kernel, then times it.
 * @throws ResultError if its result is wrong; it is then not timed
 */
export async function measureKernel(bench: Bench, kernelCase: KernelCase): Promise<KernelRow> {
  const { name, shapes, flops, bytes } = kernelCase;
  const session = bench.backend.createSession();
  try {
    const problem = kernelCase.build();
    const executable = await prepare(session, problem);
    await checkResults(kernelCase, problem, session, executable);
    const replay = new Replay(executable, bench.settings, 1);
    await replay.warmUp();
    const seconds = bench.clock === "timestamps" ? (await replay.timestamps()).sum : await replay.wallClock();
    const dispatches = executable.dispatches.length;
    const rates = ratesOf({ flops, bytes }, seconds.median, bench.ceilings);
    return { name, kernel: name, shapes, dispatches, flops, bytes, clock: bench.clock, seconds, ...rates };
  } finally {
    session.dispose();
  }
}

async function prepare(session: Session, problem: Problem): Promise<Executable> {
  const executable = await session.compile(problem.graph);
  writeValues(session, problem);
  return executable;
}

/** The rows of a matrix to compare; undefined for all rows. */
type Rows = readonly number[] | undefined;

async function checkResults(
  kernelCase: KernelCase,
  problem: Problem,
  session: Session,
  executable: Executable,
): Promise<void> {
  const sample = kernelCase.sample?.(problem);
  const sampled = sample?.problem ?? problem;
  const cpu = createCpuBackend({ precision: "float64" }).createSession();
  const reference = await prepare(cpu, sampled);
  const [actual, expected] = [
    await runOnce(session, executable, problem.results),
    await runOnce(cpu, reference, sampled.results),
  ];
  problem.results.forEach(({ tolerance, of }, position) => {
    const where = `${kernelCase.name}, ${typeof of === "string" ? of : (of.attributes as { name: string }).name}`;
    requireClose(where, rowsOf(actual[position]!, sample?.rows, problem.graph.outputs), expected[position]!, tolerance);
  });
  cpu.dispose();
}

/** The results of the first step. Scalars are returned by the run; other results are read afterwards. */
async function runOnce(session: Session, executable: Executable, results: readonly Result[]): Promise<NumericArray[]> {
  const traces = await executable.run(0, 1);
  return Promise.all(
    results.map(async ({ of }) =>
      typeof of === "string" ? (traces[of] ?? (await executable.read(of))) : session.read(of),
    ),
  );
}

function rowsOf(values: NumericArray, rows: Rows, outputs: Readonly<Record<string, Tensor>>): NumericArray {
  if (!rows) return values;
  const columns = Object.values(outputs)[0]!.shape.at(-1)!;
  const picked = new Float32Array(rows.length * columns);
  rows.forEach((row, position) => picked.set(values.subarray(row * columns, (row + 1) * columns), position * columns));
  return picked;
}
