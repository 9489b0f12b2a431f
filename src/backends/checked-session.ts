/*
 * Every backend wraps its sessions in a `CheckedSession`, which refuses invalid calls. So all backends refuse the same
 * calls with the same messages, and a refused call changes nothing.
 */
import { DeviceError, OptionError } from "../errors.ts";
import { requireGraph, updatedLeaves, type Graph } from "../graph/graph.ts";
import { isStored } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { DispatchDescription, Executable, NumericArray, Session } from "./backend.ts";
import {
  indexLimits,
  inputsOf,
  largestOf,
  requireConstantIndices,
  requireIndices,
  requireLeaf,
  requireScalarIndices,
  requireValues,
  requireWhole,
  type IndexLimit,
} from "./checks.ts";

/** Whether a backend or session can still be used. */
export class Lifetime {
  readonly #of: "backend" | "session";
  readonly #within: Lifetime | undefined;
  #ended = false;

  constructor(of: "backend" | "session", within?: Lifetime) {
    this.#of = of;
    this.#within = within;
  }

  get ended(): boolean {
    return this.#ended;
  }

  end(): void {
    this.#ended = true;
  }

  /** @throws DeviceError or OptionError if the backend or the session was disposed of */
  requireOpen(where: string): void {
    this.#within?.requireOpen(where);
    if (!this.#ended) return;
    const what = `the ${this.#of} was disposed of`;
    if (this.#of === "backend") throw new DeviceError({ where, what, fix: "Create another backend" });
    throw new OptionError({ where, what, fix: "Create another session, and compile in it" });
  }
}

/** What is known about the values of a leaf. */
interface LeafFacts {
  written: boolean;
  /** An upper limit of the integers that were written. */
  largest: number;
  limit: IndexLimit | undefined;
}

/** Checks each call of a session before passing it on. */
export class CheckedSession implements Session {
  readonly #work: Session;
  readonly #lifetime: Lifetime;
  readonly #onGraph: ((graph: Graph) => void) | undefined;
  readonly #leaves = new Map<Tensor, LeafFacts>();

  /**
   * @param work the unchecked session
   * @param onGraph called with each graph before it is compiled
   */
  constructor(work: Session, backend: Lifetime, onGraph?: (graph: Graph) => void) {
    this.#work = work;
    this.#onGraph = onGraph;
    this.#lifetime = new Lifetime("session", backend);
  }

  async compile(graph: Graph): Promise<CheckedExecutable> {
    this.#lifetime.requireOpen("compile");
    requireGraph("compile", graph);
    this.#onGraph?.(graph);
    const limits = indexLimits(graph);
    requireConstantIndices(limits);
    for (const [leaf, limit] of limits) this.#requireHeldIndices(leaf, limit);
    const executable = await this.#compiled(graph);
    for (const leaf of graph.nodes.filter(isStored)) {
      const facts = this.#leaves.get(leaf) ?? { written: false, largest: -1, limit: undefined };
      const limit = limits.get(leaf);
      if (limit && limit.below < (facts.limit?.below ?? Infinity)) facts.limit = limit;
      this.#leaves.set(leaf, facts);
    }
    // Inputs that are updated by steps need not be written.
    for (const leaf of graph.updates.flatMap(({ target }) => updatedLeaves(target)))
      this.#leaves.get(leaf)!.written = true;
    const inputs = inputsOf(graph).map((leaf) => ({ leaf, facts: this.#leaves.get(leaf)! }));
    return new CheckedExecutable(executable, graph, { lifetime: this.#lifetime, limits, inputs });
  }

  write(leaf: Tensor, values: NumericArray, firstElement?: number): void {
    const facts = this.#factsOf("write", leaf);
    requireValues(leaf, values, firstElement);
    if (facts.limit) requireIndices(`write ${leaf}`, values, firstElement ?? 0, facts.limit);
    this.#work.write(leaf, values, firstElement ?? 0);
    facts.written = true;
    if (leaf.dtype === "uint32")
      facts.largest = Math.max(largestOf(values), values.length === leaf.size ? -1 : facts.largest);
  }

  async read(leaf: Tensor): Promise<NumericArray> {
    this.#factsOf("read", leaf);
    return this.#work.read(leaf);
  }

  dispose(): void {
    if (this.#lifetime.ended) return;
    this.#lifetime.end();
    this.#work.dispose();
  }

  /** If the session is disposed of while it compiles, the result cannot be used. */
  async #compiled(graph: Graph): Promise<Executable> {
    try {
      return await this.#work.compile(graph);
    } finally {
      this.#lifetime.requireOpen("compile");
    }
  }

  /** Checks values that were written before a graph that uses them as indices was compiled. */
  #requireHeldIndices(leaf: Tensor, limit: IndexLimit): void {
    const largest = this.#leaves.get(leaf)?.largest ?? -1;
    if (largest < limit.below) return;
    const what = `it contains ${largest}, but ${limit.op} needs numbers below ${limit.below}`;
    throw new OptionError({
      where: `compile, ${leaf}`,
      what,
      fix: "Write valid indices before compiling this graph",
    });
  }

  #factsOf(where: string, leaf: Tensor): LeafFacts {
    this.#lifetime.requireOpen(where);
    requireLeaf(where, leaf);
    const facts = this.#leaves.get(leaf);
    if (facts) return facts;
    throw new OptionError({
      where: `${where} ${leaf}`,
      what: "this session does not have it",
      fix: "Compile a graph that uses it first",
    });
  }
}

interface ExecutableFacts {
  readonly lifetime: Lifetime;
  readonly limits: ReadonlyMap<Tensor, IndexLimit>;
  readonly inputs: readonly { readonly leaf: Tensor; readonly facts: LeafFacts }[];
}

/** Checks each call of an executable before passing it on. */
export class CheckedExecutable implements Executable {
  /** The unchecked executable. */
  readonly work: Executable;
  readonly profile?: (step: number) => Promise<number[]>;
  readonly #graph: Graph;
  readonly #facts: ExecutableFacts;
  #inputsWritten = false;
  #hasRun = false;

  constructor(work: Executable, graph: Graph, facts: ExecutableFacts) {
    this.work = work;
    this.#graph = graph;
    this.#facts = facts;
    if (!work.profile) return;
    this.profile = async (step) => {
      this.#requireSteps("profile", step, 1);
      this.#hasRun = true;
      return work.profile!(step);
    };
  }

  get dispatches(): readonly DispatchDescription[] {
    return this.work.dispatches;
  }

  get bytes(): number | undefined {
    return this.work.bytes;
  }

  async run(first: number, count: number): Promise<Readonly<Record<string, NumericArray>>> {
    this.#requireSteps("run", first, count);
    this.#hasRun ||= count > 0;
    return this.work.run(first, count);
  }

  async read(output: string): Promise<NumericArray> {
    this.#facts.lifetime.requireOpen("read");
    const { outputs } = this.#graph;
    const readable = Object.keys(outputs).filter((name) => outputs[name]!.size > 1);
    if (!readable.includes(output)) {
      const isScalar = typeof output === "string" && Object.hasOwn(outputs, output);
      const what = isScalar ? `the output "${output}" is a scalar` : `there is no output "${String(output)}"`;
      const fix = isScalar
        ? "Use the result of run"
        : `Read an output with several elements: ${readable.join(", ") || "there are none"}`;
      throw new OptionError({ where: "read", what, fix });
    }
    if (!this.#hasRun)
      throw new OptionError({ where: `read ${output}`, what: "no step has been run yet", fix: "Run a step first" });
    return this.work.read(output);
  }

  #requireSteps(where: string, first: number, count: number): void {
    const { lifetime, limits, inputs } = this.#facts;
    lifetime.requireOpen(where);
    requireWhole(where, where === "run" ? "first step" : "step", first);
    requireWhole(where, "number of steps", count);
    if (!this.#inputsWritten) {
      const missing = inputs.find(({ facts }) => !facts.written);
      if (missing)
        throw new OptionError({
          where,
          what: `the input ${missing.leaf} was never written`,
          fix: "Write it before the first step",
        });
      this.#inputsWritten = true;
    }
    requireScalarIndices(where, limits, first, count);
  }
}
