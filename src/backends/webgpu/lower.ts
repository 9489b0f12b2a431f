/*
 * Pass 3: each group becomes WGSL, bindings and a grid: constants and the two or three functions that tie an op's
 * kernel to memory (`read_…`, `finish`, `stored`) are written before the kernel's own text.
 */
import bytesLibrary from "../../../shaders/bytes.wgsl?raw";
import pointwiseSource from "../../../shaders/pointwise.wgsl?raw";
import { DeviceError } from "../../errors.ts";
import type { BufferAccess } from "../../device/pipelines.ts";
import type { DType, Tensor } from "../../graph/tensor.ts";
import type { AnchorLaunch, ElementRange, LaunchLimits } from "../../ops/kernel.ts";
import { integerLiteral } from "../../ops/wgsl.ts";
import type { DispatchDescription } from "../backend.ts";
import { byteRows, byteRowWords } from "./bytes.ts";
import { ElementCode, placeAt, type ElementScope } from "./element.ts";
import type { Group } from "./fuse.ts";
import { anchorKernel, pointwiseKernel, rootOf } from "./kernels.ts";
import type { Plan, Region } from "./plan.ts";

export interface Binding {
  readonly region: Region;
  readonly access: BufferAccess;
}

/** One dispatch, ready to be recorded. */
export interface Launch extends DispatchDescription {
  readonly code: string;
  readonly bindings: readonly Binding[];
}

const GROUP_THREADS = 256;

/** Elements; a binding may start at any multiple of 256 bytes. */
const ALIGNMENT = 64;

/** Threads for a pointwise dispatch; more elements than that are walked in strides. */
const pointwiseGroups = (elements: number, limits: LaunchLimits) => Math.min(Math.ceil(elements / GROUP_THREADS), limits.gridSize);

/**
 * @param scalars the per-step scalars, in the order of their fields in the uniform
 * @throws DeviceError where a tensor is larger than the device can bind and the kernel cannot take it in parts
 */
export function lower(plan: Plan, scalars: readonly Tensor[], limits: LaunchLimits): Launch[] {
  return plan.groups.flatMap((group) => {
    const launches = group.anchor
      ? anchorKernel(group.anchor)!.launches(group.anchor, limits)
      : pointwiseLaunches(group, plan, limits);
    return launches.map((launch) => new LaunchWriter(plan, scalars, limits, group, launch).write());
  });
}

/** A chain over a vector longer than a binding is cut; what is broadcast into it must fit as a whole. */
function pointwiseLaunches(group: Group, plan: Plan, limits: LaunchLimits): AnchorLaunch[] {
  const { size } = group.chain[0]!;
  const most = Math.floor(limits.bindingElements / ALIGNMENT) * ALIGNMENT;
  const longest = Math.min(size, most);
  return Array.from({ length: Math.ceil(size / longest) }, (_, part) => {
    const range: ElementRange = { start: part * longest, end: Math.min(size, (part + 1) * longest) };
    const groups = pointwiseGroups(range.end - range.start, limits);
    return {
      constants: { FIRST: range.start, LAST: range.end, THREADS: groups * GROUP_THREADS, GROUP_THREADS },
      grid: [groups, 1, 1],
      flops: 0,
      inputRanges: group.inputs.map((input) => (plan.regions.get(input)!.elements === size && input.dtype !== "uint8" ? range : wholeOf(input, plan))),
      outputRange: range,
    };
  });
}

const wholeOf = (tensor: Tensor, plan: Plan): ElementRange => ({ start: 0, end: plan.regions.get(tensor)!.elements });

const wgslType = (dtype: DType) => (dtype === "float32" ? "f32" : "u32");

/** A tensor's memory as one kernel sees it. */
interface BoundTensor {
  readonly name: string;
  readonly tensor: Tensor;
  readonly dtype: DType;
  readonly region: Region;
  readonly range: ElementRange;
  readonly access: BufferAccess;
}

class LaunchWriter implements ElementScope {
  readonly inlined: ReadonlySet<Tensor>;
  readonly #plan: Plan;
  readonly #scalars: readonly Tensor[];
  readonly #limits: LaunchLimits;
  readonly #group: Group;
  readonly #launch: AnchorLaunch;
  readonly #libraries = new Set<string>();
  readonly #bindings: BoundTensor[] = [];
  #usesScalars = false;

  constructor(plan: Plan, scalars: readonly Tensor[], limits: LaunchLimits, group: Group, launch: AnchorLaunch) {
    this.inlined = plan.fusion.inlined;
    this.#plan = plan;
    this.#scalars = scalars;
    this.#limits = limits;
    this.#group = group;
    this.#launch = launch;
  }

  write(): Launch {
    const { anchor, chain } = this.#group;
    this.#bindOutputs();
    const shape = (anchor ?? chain[0]!).shape;
    const finish = this.#finishFunction();
    const readers = anchor ? this.#readFunctions(anchor) : [];
    const constants = { ...this.#launch.constants, OUTPUT_COLUMNS: shape.at(-1) ?? 1 };
    const source = anchor ? anchorKernel(anchor)!.source : pointwiseSource;
    const inputs = this.#bindings.filter(({ access }) => access === "read");
    const outputs = this.#bindings.filter(({ access }) => access !== "read");
    const bound = [...inputs, ...outputs];
    const code = [
      ...Object.entries(constants).map(([name, value]) => `const ${name} = ${typeof value === "number" ? integerLiteral(value) : value};`),
      ...bound.map(({ name, dtype, access }, binding) =>
        `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${wgslType(dtype)}>;`),
      ...(this.#usesScalars ? [this.#scalarsDeclaration()] : []),
      ...this.#libraries,
      ...readers,
      finish,
      source,
    ].join("\n");
    return { ...this.#describe(), code, grid: this.#launch.grid, bindings: bound.map((binding) => this.#window(binding)) };
  }

  load(tensor: Tensor, index: string): string {
    const { name, range } = this.#bind(tensor, "read");
    if (tensor.dtype === "uint8") return this.#loadByte(tensor, name, index);
    return `${name}[${shifted(index, range.start)}]`;
  }

  scalar(tensor: Tensor): string {
    this.#usesScalars = true;
    return `scalars.value_${this.#scalars.indexOf(tensor)}`;
  }

  useLibrary(text: string): void {
    this.#libraries.add(text);
  }

  #loadByte(tensor: Tensor, name: string, index: string): string {
    this.useLibrary(bytesLibrary);
    const width = tensor.size / byteRows(tensor);
    const stride = byteRowWords(tensor) * 4;
    const [w, s] = [integerLiteral(width), integerLiteral(stride)];
    const at = width === stride ? index : `(${index} / ${w} * ${s} + ${index} % ${w})`;
    return `byte_of(${name}[${at} / 4u], ${at} % 4u)`;
  }

  /** Binds each output once: one that works in place is read through the same binding. */
  #bindOutputs(): void {
    for (const output of this.#stored()) this.#bind(output, "read_write");
  }

  /** What this launch writes: the outputs that have memory, or only the bare sum if there is more to come. */
  #stored(): Tensor[] {
    const outputs = this.#group.outputs.filter((output) => this.#plan.regions.has(output));
    return this.#launch.partial ? outputs.slice(0, 1) : outputs;
  }

  #bind(tensor: Tensor, access: BufferAccess): BoundTensor {
    const region = this.#plan.regions.get(tensor)!;
    let binding = this.#bindings.find((other) => other.region.buffer === region.buffer && other.region.offset === region.offset);
    if (!binding) {
      const name = `${access === "read" ? "input" : "output"}_${this.#bindings.length}`;
      binding = { name, tensor, dtype: tensor.dtype, region, range: this.#rangeOf(tensor, region), access };
      this.#bindings.push(binding);
    }
    return binding;
  }

  #rangeOf(tensor: Tensor, region: Region): ElementRange {
    const { inputRanges, outputRange } = this.#launch;
    const { anchor, inputs } = this.#group;
    const whole = { start: 0, end: region.elements };
    const operands = anchor ? anchor.inputs.map(rootOf) : inputs;
    const position = operands.indexOf(tensor);
    // Values of the output's own size are read and written at the output's elements.
    const sameSize = anchor && tensor.size === anchor.size && position < 0;
    const range = position >= 0 ? inputRanges?.[position] : sameSize || this.#group.outputs.includes(tensor) ? outputRange : undefined;
    return tensor.dtype === "uint8" || !range ? whole : { start: Math.floor(range.start / ALIGNMENT) * ALIGNMENT, end: range.end };
  }

  #window({ tensor, region, range, access }: BoundTensor): Binding {
    const elements = range.end - range.start;
    if (elements > this.#limits.bindingElements) {
      throw new DeviceError({
        where: this.#name(),
        what: `${tensor} needs ${4 * elements} bytes in one binding, and this device allows ${4 * this.#limits.bindingElements}`,
        fix: "Use a smaller batch or micro-batches, or train on the CPU",
      });
    }
    return { region: { ...region, offset: region.offset + range.start, elements }, access };
  }

  #readFunctions(anchor: Tensor): string[] {
    return anchorKernel(anchor)!.inputs.flatMap((name, position) => {
      const tensor = anchor.inputs[position];
      if (!tensor) return [];
      const code = new ElementCode(this);
      const value = code.value(tensor, placeAt("index", tensor.shape));
      return functionText(`read_${name}(index: u32) -> ${wgslType(tensor.dtype)}`, [...code.lines, `return ${value};`]);
    });
  }

  #finishFunction(): string {
    const { anchor, chain, outputs } = this.#group;
    const first = anchor ?? chain[0]!;
    const place = { index: "index", row: "row", column: "column" };
    const code = new ElementCode(this);
    if (anchor) code.bind(anchor, place, "value");
    const head = `finish(index: u32, row: u32, column: u32${anchor ? `, value: ${wgslType(anchor.dtype)}` : ""})`;
    const accumulated = this.#stored()[0];
    const stored = this.#launch.accumulates && accumulated
      ? functionText("stored(index: u32) -> f32", [`return ${this.#element(accumulated)};`])
      : functionText("stored(index: u32) -> f32", ["return 0.0;"]);
    if (this.#launch.partial) return `${stored}\n${functionText(head, [`${this.#element(accumulated!)} = value;`])}`;
    for (const node of chain) {
      code.compute(node, node.shape.at(-1) === first.shape.at(-1) ? place : placeAt("index", node.shape));
    }
    const stores = outputs.flatMap((output) => this.#stores(output, code.value(output, place)));
    return `${anchor ? `${stored}\n` : ""}${functionText(head, [...code.lines, ...stores])}`;
  }

  #element(tensor: Tensor): string {
    const { name, range } = this.#bind(tensor, "read_write");
    return `${name}[${shifted("index", range.start)}]`;
  }

  #stores(output: Tensor, value: string): string[] {
    const lines = this.#plan.regions.has(output) ? [`${this.#element(output)} = ${value};`] : [];
    const traced = output.dtype === "float32" ? value : `f32(${value})`;
    this.#plan.traces.forEach(({ tensor }, column) => {
      if (tensor === output) lines.push(this.#traceStore(column, traced));
    });
    return lines;
  }

  #traceStore(column: number, value: string): string {
    this.#usesScalars = true;
    const region = this.#plan.trace;
    const name = "trace";
    if (!this.#bindings.some((binding) => binding.name === name)) {
      const tensor = this.#plan.traces[0]!.tensor;
      this.#bindings.push({ name, tensor, dtype: "float32", region, range: { start: 0, end: region.elements }, access: "read_write" });
    }
    return `trace[scalars.slot * ${integerLiteral(this.#plan.traces.length)} + ${integerLiteral(column)}] = ${value};`;
  }

  /** Of the trace a step touches one word, of what it gathers from at most an element per result, of all else everything. */
  #touchedBytes({ name, tensor, range }: BoundTensor): number {
    if (name === "trace") return 4;
    const nodes = this.#group.anchor ? [this.#group.anchor, ...this.#group.chain] : this.#group.chain;
    const readers = nodes.filter((node) => node.inputs.some((input) => rootOf(input) === tensor));
    const whole = 4 * (range.end - range.start);
    if (readers.length === 0 || !readers.every((node) => pointwiseKernel(node)?.gathers)) return whole;
    return Math.min(whole, readers.reduce((sum, { size }) => sum + size, 0) * (tensor.dtype === "uint8" ? 1 : 4));
  }

  #scalarsDeclaration(): string {
    const fields = this.#scalars.map(({ dtype }, position) => `value_${position}: ${wgslType(dtype)},`);
    return `struct Scalars { slot: u32, ${fields.join(" ")} }\n@group(1) @binding(0) var<uniform> scalars: Scalars;`;
  }

  #name(): string {
    const { anchor, chain } = this.#group;
    return [...(anchor ? [anchor] : []), ...chain].map(({ op }) => op.name).join(" + ");
  }

  #describe(): Omit<DispatchDescription, "grid"> {
    const { anchor, chain, inputs, outputs } = this.#group;
    const operands = anchor ? [...new Set([...anchor.inputs, ...inputs.filter((input) => !anchor.inputs.map(rootOf).includes(input))])] : inputs;
    const shape = (tensor: Tensor) => `[${tensor.shape.join(", ")}]`;
    const touched = this.#bindings.map((binding) => this.#touchedBytes(binding));
    return {
      kernel: this.#name(),
      shapes: `${operands.map(shape).join(" ")} → ${outputs.map(shape).join(" ")}`,
      flops: this.#launch.flops + chain.reduce((sum, node) => sum + node.size * pointwiseKernel(node)!.flops(node), 0),
      bytes: touched.reduce((sum, bytes) => sum + bytes, 0),
    };
  }
}

const shifted = (index: string, start: number) => (start === 0 ? index : `${index} - ${integerLiteral(start)}`);

const functionText = (head: string, lines: readonly string[]) => `fn ${head} {\n${lines.map((line) => `    ${line}\n`).join("")}}`;
