/*
 * Running a step calls the phases in order, without allocating anything. Between phases, control returns to the event
 * loop every `TURN_MILLISECONDS`.
 */
import type { Plan } from "../../compiler/plan.ts";
import { bytesOf } from "../../compiler/regions.ts";
import type { StoredLeaves } from "../../compiler/stored-leaves.ts";
import { constantOp, type ConstantAttributes, type StepScalarAttributes } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { DispatchDescription, Executable, NumericArray } from "../backend.ts";
import type { WasmDevice } from "./device.ts";
import { flushPhase, FLUSH_STEPS } from "./flush.ts";
import type { Lowered } from "./lower.ts";
import type { Block } from "./memory.ts";
import { blockBytes, OwnMemory } from "./own-memory.ts";
import { turn } from "../../turn.ts";
import type { Part, Places } from "./step.ts";
import type { Phase } from "./threads/pool.ts";

/** How long a run may block the event loop. */
const TURN_MILLISECONDS = 25;

/** A word in memory. */
interface Word {
  readonly isFloat: boolean;
  readonly position: number;
}

/** A scalar output, in the order of the plan's traces. */
interface Trace extends Word {
  readonly column: number;
}

/** The step of a graph with resolved addresses. */
interface Bound {
  /** The values of `leaves.moves` and `memory.floats` for which the addresses are valid. */
  readonly moves: number;
  readonly floats: Float32Array;
  /** The parts of each step. */
  readonly steps: readonly (readonly Part[])[];
  readonly scalars: readonly (Word & { valueAt(step: number): number })[];
  /** The scalar outputs of each step; later steps may reuse their memory. */
  readonly traces: readonly (readonly Trace[])[];
  /** What runs after each `FLUSH_STEPS` steps. */
  readonly flushes: readonly Phase[];
}

/** The parts of an executable. */
export interface ExecutableParts {
  readonly device: WasmDevice;
  readonly plan: Plan;
  readonly lowered: Lowered;
  /** Table indices of generated functions by their keys. */
  readonly indices: ReadonlyMap<string, number>;
  /** Constants of one element and scalars of the step. */
  readonly literals: readonly Tensor[];
  readonly scalars: readonly Tensor[];
  /** The states that a step updates. */
  readonly states: readonly Tensor[];
  readonly leaves: StoredLeaves<Block>;
}

/** Replays the phases of a graph's step. */
export class WasmExecutable implements Executable {
  readonly dispatches: readonly DispatchDescription[];
  readonly bytes: number;
  readonly #parts: ExecutableParts;
  readonly #own: OwnMemory;
  #bound: Bound;
  /** When control returns to the event loop next. */
  #turnAt = 0;

  /** No run may be in progress. @throws DeviceError if there is not enough memory */
  constructor(parts: ExecutableParts) {
    const { device, lowered, leaves, scalars, literals } = parts;
    const { memory } = device;
    this.#parts = parts;
    this.dispatches = lowered.steps.map(({ description }) => description);
    this.bytes = bytesOf(lowered.regions.values(), (buffer) => leaves.placeOf(buffer) !== undefined);
    device.reserveScratch(Math.max(0, ...lowered.steps.map(({ scratchBytes }) => scratchBytes)));
    const temporaries = lowered.steps.flatMap((step) => step.temporaries);
    const own = { memory, leaves, regions: lowered.regions, words: [...scalars, ...literals], temporaries };
    this.#own = new OwnMemory(own, this.#argumentBytes());
    this.#writeConstants();
    this.#bound = this.#bind();
  }

  run(first: number, count: number): Promise<Record<string, NumericArray>> {
    return this.#parts.device.queue.add(() => this.#run(first, count));
  }

  read(output: string): Promise<NumericArray> {
    const { device, plan } = this.#parts;
    const tensor = plan.kept.get(output)!;
    return device.queue.add(() => {
      device.requireLive();
      return device.memory.valuesOf(this.#own.addressOf(tensor), tensor).slice();
    });
  }

  /**
   * Runs one step and measures its phases by the clock of the calling thread.
   * @returns nanoseconds in the order of `dispatches`
   */
  profile(step: number): Promise<number[]> {
    return this.#parts.device.queue.add(async () => {
      this.#prepare();
      this.#writeScalars(step);
      const times: number[] = [];
      for (const parts of this.#bound.steps) {
        const before = performance.now();
        for (const part of parts) if (!this.#call(part)) await this.#finishPhase();
        times.push(1e6 * (performance.now() - before));
      }
      await turn();
      this.#parts.device.requireLive();
      return times;
    });
  }

  /** No run may be in progress. */
  dispose(): void {
    this.#own.dispose();
  }

  async #run(first: number, count: number): Promise<Record<string, NumericArray>> {
    const outputs = this.#parts.plan.traces;
    const rows = outputs.map(() => new Float32Array(count));
    this.#prepare();
    this.#turnAt = performance.now() + TURN_MILLISECONDS;
    for (let row = 0; row < count; row++) {
      this.#writeScalars(first + row);
      // By position, because the steps may be bound again after a turn of the event loop.
      for (let position = 0; position < this.#bound.steps.length; position++) {
        const parts = this.#bound.steps[position]!;
        for (let part = 0; part < parts.length; part++) if (!this.#call(parts[part]!)) await this.#finishPhase();
        const traces = this.#bound.traces[position]!;
        for (let trace = 0; trace < traces.length; trace++) this.#trace(traces[trace]!, rows, row);
        if (performance.now() > this.#turnAt) await this.#pause();
      }
      if ((first + row + 1) % FLUSH_STEPS === 0) await this.#flush();
    }
    // Timers, signals and painting run between runs, as they do while a GPU works.
    await turn();
    this.#parts.device.requireLive();
    return Object.fromEntries(outputs.map(({ name }, column) => [name, rows[column]!]));
  }

  /** Replaces subnormal numbers in the updated states by 0. */
  async #flush(): Promise<void> {
    for (let state = 0; state < this.#bound.flushes.length; state++)
      if (!this.#call(this.#bound.flushes[state]!)) await this.#finishPhase();
  }

  /** @returns false if another thread is still working after a long wait */
  #call(part: Part): boolean {
    const { device } = this.#parts;
    try {
      if (typeof part === "object") return device.pool.run(part);
      part();
      return true;
    } catch (error) {
      device.fail(`a function failed: ${String(error)}`);
      throw error;
    }
  }

  async #finishPhase(): Promise<void> {
    const { device } = this.#parts;
    do {
      await turn();
      device.requireLive();
    } while (!device.pool.wait());
  }

  async #pause(): Promise<void> {
    await turn();
    this.#prepare();
    this.#turnAt = performance.now() + TURN_MILLISECONDS;
  }

  /** Throws if the device is lost, and binds the step again if leaves or the memory have moved. */
  #prepare(): void {
    const { device, leaves } = this.#parts;
    device.requireLive();
    const { moves, floats } = this.#bound;
    if (moves !== leaves.moves || floats !== device.memory.floats) this.#bound = this.#bind();
  }

  #bind(): Bound {
    const { device, leaves, lowered, scalars, plan } = this.#parts;
    const places = this.#places((words) => this.#own.argumentBlock(words));
    const wordOf = (tensor: Tensor): Word => ({
      isFloat: tensor.dtype === "float32",
      position: this.#own.addressOf(tensor) / 4,
    });
    this.#own.rewind();
    return {
      moves: leaves.moves,
      floats: device.memory.floats,
      steps: lowered.steps.map((step) => step.bind(places)),
      scalars: scalars.map((scalar) => {
        const { valueAt } = scalar.attributes as StepScalarAttributes;
        return { ...wordOf(scalar), valueAt };
      }),
      traces: plan.groups.map(({ outputs }) =>
        plan.traces.flatMap(({ tensor }, column) => (outputs.includes(tensor) ? { ...wordOf(tensor), column } : [])),
      ),
      flushes: this.#flushes(places),
    };
  }

  #flushes(places: Places): Phase[] {
    const { device, leaves, states } = this.#parts;
    return states.map((state) => {
      const { buffer, offset } = leaves.memoryOf(state);
      return flushPhase(state, buffer.address + 4 * offset, places, device.threads);
    });
  }

  /** The bytes of all argument blocks: their number and sizes do not depend on addresses. */
  #argumentBytes(): number {
    let bytes = 0;
    const places = {
      ...this.#places((words) => {
        bytes += blockBytes(words);
        return 0;
      }),
      addressOf: () => 0,
      valuesOf: () => new Float32Array(0),
    };
    for (const step of this.#parts.lowered.steps) step.bind(places);
    this.#flushes(places);
    return bytes;
  }

  #places(argumentBlock: Places["argumentBlock"]): Places {
    const { device, indices } = this.#parts;
    return {
      addressOf: (stored) => this.#own.addressOf(stored),
      argumentBlock,
      indexOf: ({ key }) => indices.get(key)!,
      kernelIndex: (name) => device.kernelIndex(name),
      functionAt: (index) => device.functionAt(index),
      valuesOf: (stored) =>
        device.memory.valuesOf(this.#own.addressOf(stored), "tensor" in stored ? stored.tensor : stored),
    };
  }

  #writeScalars(step: number): void {
    const { floats, words } = this.#parts.device.memory;
    const { scalars } = this.#bound;
    for (let scalar = 0; scalar < scalars.length; scalar++) {
      const { isFloat, position, valueAt } = scalars[scalar]!;
      (isFloat ? floats : words)[position] = valueAt(step);
    }
  }

  #trace({ isFloat, position, column }: Trace, rows: readonly Float32Array[], row: number): void {
    const { floats, words } = this.#parts.device.memory;
    rows[column]![row] = (isFloat ? floats : words)[position]!;
  }

  #writeConstants(): void {
    const { memory } = this.#parts.device;
    const constants = [...this.#parts.literals, ...this.#parts.plan.regions.keys()].filter(
      ({ op }) => op === constantOp,
    );
    for (const node of constants)
      memory.valuesOf(this.#own.addressOf(node), node).set((node.attributes as ConstantAttributes).values);
  }
}
