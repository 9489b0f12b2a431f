import bytesLibrary from "../../../shaders/bytes.wgsl?raw";
import groupSumsLibrary from "../../../shaders/group_sums.wgsl?raw";
import numbersLibrary from "../../../shaders/numbers.wgsl?raw";
import type { Tensor } from "../../graph/tensor.ts";
import { integerLiteral } from "../../ops/webgpu/wgsl.ts";
import { bytePlace, byteRowsOf } from "./bytes.ts";
import { ElementCode, placeAt, type ElementScope, type Lane } from "./element.ts";
import { anchorsOf, nodesOf, type Member } from "../../compiler/fuse.ts";
import { groupName, groupShapes } from "../../compiler/describe.ts";
import { fullReduction } from "../../compiler/nodes.ts";
import { DispatchArguments } from "./arguments.ts";
import { AtomicText } from "./atomics.ts";
import { BoundMemory, type BoundTensor } from "./bound-memory.ts";
import { KernelBindings, PARTS, wgslType, type KernelTask } from "./kernel-bindings.ts";
import { isShared } from "./vec4.ts";
import { anchorKernel, pointwiseFlops } from "./kernels.ts";
import { KernelTrace } from "./trace.ts";
import { OWN_PLACE, type Launch } from "./launch.ts";

const LANES: readonly Lane[] = ["x", "y", "z", "w"];

/** What the kernels of one dispatch share. Most dispatches have one kernel. */
export interface DispatchText {
  readonly memory: BoundMemory;
  readonly arguments: DispatchArguments;
  readonly libraries: Set<string>;
  /** Whether one of the kernels raises an atomic result. All of them then access the trace by atomic operations. */
  readonly atomicTrace: boolean;
  /** Set if a kernel reads per-step scalars. */
  usesScalars: boolean;
}

/**
 * Writes the WGSL of one kernel: constants, and, before the kernel's own source, the functions that connect it to memory
 * (`read_…`, `finish…`, `stored`, `finish_reductions`, `finish_thread`).
 */
export class KernelWriter implements ElementScope {
  readonly inlined: ReadonlySet<Tensor>;
  readonly #task: KernelTask;
  readonly #dispatch: DispatchText;
  readonly #bindings: KernelBindings;
  readonly #atomics: AtomicText;
  readonly #trace: KernelTrace;
  /** The reads that the four elements of a thread have in common, with the variables that hold their values. */
  readonly #shared = new Map<string, string>();

  constructor(task: KernelTask, dispatch = dispatchText(!task.launch.partial && task.group.atomics.length > 0)) {
    const { group, launch, plan } = task;
    this.#task = task;
    this.#dispatch = dispatch;
    const atomics = launch.partial ? [] : group.atomics;
    this.#atomics = new AtomicText(this, atomics, group.replacements);
    this.#trace = new KernelTrace(plan, group, dispatch.atomicTrace);
    this.inlined = plan.fusion.inlined;
    this.#bindings = new KernelBindings(task, dispatch.memory);
  }

  /** The launch of a dispatch that has only this kernel. */
  write(): Launch {
    const { launch, limits, scalars } = this.#task;
    const text = this.text();
    const code = [
      ...(launch.subgroups ? ["enable subgroups;"] : []),
      ...(launch.float16 ? ["enable f16;"] : []),
      ...(launch.subgroupMatrices ? ["enable chromium_experimental_subgroup_matrix;"] : []),
      ...sharedDeclarations(this.#dispatch, scalars.length),
      text,
    ].join("\n");
    const described = this.describe();
    const bindings = this.#dispatch.memory.bindings(described.kernel, limits.bindingElements);
    return { ...described, code, grid: launch.grid, bindings, arguments: this.#dispatch.arguments.values };
  }

  /** The kernel's own WGSL. */
  text(): string {
    const { group, launch } = this.#task;
    // Outputs are bound first, so that a group that works in place reads through the same binding.
    for (const output of this.#bindings.stored) this.#bindings.bind(output, "read_write");
    // Before other functions that read the same tensors, which then find them bound as vec4s.
    const vec4Reads = this.#vec4ReadFunctions();
    const functions = [
      ...this.#atomics.declarations(),
      ...this.#finishFunctions(),
      functionText(
        "finish_thread()",
        this.#atomics.finishLines(() => this.#traced()),
      ),
      ...this.#readFunctions(),
      ...vec4Reads,
    ];
    if (launch.parts) this.#bindings.bindParts(launch.parts.access === "write" ? "read_write" : "read");
    if (this.#trace.isUsed) this.#bindings.bindTrace(this.#trace);
    const constants = { ...launch.constants, OUTPUT_COLUMNS: nodesOf(group)[0]!.shape.at(-1) ?? 1 };
    return [
      ...Object.entries(constants).map(
        ([name, value]) => `const ${name} = ${typeof value === "number" ? integerLiteral(value) : value};`,
      ),
      ...functions,
      launch.source,
    ].join("\n");
  }

  load(tensor: Tensor, index: string, lane: Lane | undefined): string {
    if (this.#task.plan.fusion.atomics.includes(tensor)) return this.#once(this.#traced().load(tensor), lane);
    const { name, range, vec4 } = this.#bindings.bind(tensor, "read");
    if (tensor.dtype === "uint8") return this.#loadByte(tensor, name, index);
    if (lane && !isShared(tensor)) return `${name}_vec4.${lane}`;
    const at = shifted(index, range.start);
    return this.#once(vec4 ? `${name}[(${at}) / 4u][(${at}) % 4u]` : `${name}[${at}]`, lane);
  }

  loadVec4(tensor: Tensor, index: string): string {
    const { name, range, vec4 } = this.#bindings.bind(tensor, "read", true);
    if (tensor.dtype === "uint8") return this.#loadBytes(tensor, name, index);
    const at = shifted(index, range.start);
    if (vec4) return `${name}[(${at}) / 4u]`;
    return `vec4(${LANES.map((_, lane) => `${name}[${at} + ${lane}u]`).join(", ")})`;
  }

  /** The read itself, or the variable that holds its value if a thread computes four elements. */
  #once(read: string, lane: Lane | undefined): string {
    if (!lane) return read;
    const name = this.#shared.get(read) ?? `shared_${this.#shared.size}`;
    this.#shared.set(read, name);
    return name;
  }

  scalar(tensor: Tensor): string {
    this.#dispatch.usesScalars = true;
    const position = this.#task.scalars.indexOf(tensor);
    // Integers are often keys of random numbers, of which each layer has its own.
    if (tensor.dtype === "uint32") return `scalars.values[${this.argument(position)}].x`;
    return `bitcast<f32>(scalars.values[${integerLiteral(position)}].x)`;
  }

  zero(): string {
    this.#dispatch.usesScalars = true;
    return "scalars.zero";
  }

  argument(value: number): string {
    return this.#dispatch.arguments.add(value);
  }

  single(tensor: Tensor): string {
    const { name, range } = this.#bindings.bind(tensor, "read_write");
    return `${name}[${shifted("0u", range.start)}]`;
  }

  useLibrary(text: string): void {
    this.#dispatch.libraries.add(text);
  }

  #loadByte(tensor: Tensor, name: string, index: string): string {
    this.useLibrary(bytesLibrary);
    const at = bytePlace(tensor, index);
    return `byte_of(${name}[${at} / 4u], ${at} % 4u)`;
  }

  #loadBytes(tensor: Tensor, name: string, index: string): string {
    this.useLibrary(bytesLibrary);
    if (byteRowsOf(tensor).width % 4 === 0) return `bytes_of(${name}[(${index}) / 4u])`;
    return `vec4(${LANES.map((_, lane) => this.#loadByte(tensor, name, `(${index} + ${lane}u)`)).join(", ")})`;
  }

  #readFunctions(): string[] {
    const { reads, readsByRow, parts } = this.#task.launch;
    const ofParts =
      parts?.access === "read" ? [functionText("read_part(index: u32) -> u32", [`return ${PARTS}[index];`])] : [];
    const ofTensors = Object.entries(reads).map(([name, tensor]) => {
      const code = new ElementCode(this);
      const value = code.value(tensor, readsByRow ? OWN_PLACE : placeAt("index", tensor.shape));
      const flat = `let index = row * ${integerLiteral(tensor.shape.at(-1) ?? 1)} + column;`;
      const [place, first] = readsByRow ? ["row: u32, column: u32", [flat]] : ["index: u32", []];
      return functionText(`read_${name}(${place}) -> ${wgslType(tensor.dtype)}`, [
        ...first,
        ...code.lines,
        `return ${value};`,
      ]);
    });
    return [...ofParts, ...ofTensors];
  }

  /** Where four elements are not adjacent in memory, they are read one by one. */
  #vec4ReadFunctions(): string[] {
    const { reads, vec4Reads = [] } = this.#task.launch;
    return vec4Reads.map((name) => {
      const tensor = reads[name]!;
      const code = new ElementCode(this);
      const value = code.vec4(tensor, OWN_PLACE);
      const lines =
        value === undefined
          ? [`return vec4(${LANES.map((_, lane) => `read_${name}(row, column + ${lane}u)`).join(", ")});`]
          : [
              `let index = row * ${integerLiteral(tensor.shape.at(-1) ?? 1)} + column;`,
              ...code.lines,
              `return ${value};`,
            ];
      return functionText(`read_${name}_vec4(row: u32, column: u32) -> vec4<${wgslType(tensor.dtype)}>`, lines);
    });
  }

  /** One function per member, with the names that the launch expects. Names without a member get an empty function. */
  #finishFunctions(): string[] {
    const { group, launch } = this.#task;
    const members = group.members.filter(({ sumOf }) => !sumOf);
    if (launch.vec4) return [this.#finishVec4(members[0]!)];
    if (members[0]!.anchor === undefined) return [this.#finishFunction(members[0]!, "finish")];
    const finishes = launch.finishes.map((name, position) => {
      const member = members[position];
      if (launch.parts?.access === "write") return this.#partFunction(member, name, position * launch.parts.elements);
      return member
        ? this.#finishFunction(member, name)
        : functionText(`${name}(index: u32, row: u32, column: u32, value: f32)`, []);
    });
    return [this.#storedFunction(), ...this.#reductionFunctions(), ...finishes];
  }

  #finishFunction(member: Member, name: string): string {
    const { anchor } = member;
    const head = `${name}(index: u32, row: u32, column: u32${anchor ? `, value: ${wgslType(anchor.dtype)}` : ""})`;
    if (this.#task.launch.partial) return functionText(head, [`${this.#element(this.#bindings.stored[0]!)} = value;`]);
    return functionText(head, this.#memberLines(member));
  }

  /** Stores the result of a part. */
  #partFunction(member: Member | undefined, name: string, first: number): string {
    const type = wgslType(member?.anchor?.dtype ?? "float32");
    return functionText(`${name}(index: u32, row: u32, column: u32, value: ${type})`, [
      `${PARTS}[index + ${integerLiteral(first)}] = bitcast<u32>(value);`,
    ]);
  }

  /** Reads four elements of every input, computes them one after another, and writes four elements of every output. */
  #finishVec4(member: Member): string {
    const columns = integerLiteral(nodesOf(this.#task.group)[0]!.shape.at(-1) ?? 1);
    const elements = LANES.flatMap((lane, position) => {
      const place = [
        `let index = 4u * vec4_index + ${position}u;`,
        `let row = index / ${columns};`,
        `let column = index % ${columns};`,
      ];
      return ["{", ...[...place, ...this.#memberLines(member, lane)].map((line) => `    ${line}`), "}"];
    });
    const at = ({ name, range }: BoundTensor) => `${name}[${shifted("vec4_index", range.start / 4)}]`;
    const vectors = this.#bindings.ofElements();
    const reads = [
      ...vectors.map((bound) => `var ${bound.name}_vec4 = ${at(bound)};`),
      ...[...this.#shared].map(([read, name]) => `let ${name} = ${read};`),
    ];
    const writes = vectors
      .filter(({ access }) => access !== "read")
      .map((bound) => `${at(bound)} = ${bound.name}_vec4;`);
    return functionText("finish_vec4(vec4_index: u32)", [...reads, ...elements, ...writes]);
  }

  /** Computes and stores a member's chain. `index`, `row`, `column` and, after an anchor, `value` must be in scope. */
  #memberLines({ anchor, chain }: Member, lane?: Lane): string[] {
    const { group } = this.#task;
    const first = anchor ?? chain[0]!;
    const code = new ElementCode(this, lane);
    if (anchor) code.bind(anchor, OWN_PLACE, "value");
    for (const node of chain)
      code.compute(node, node.shape.at(-1) === first.shape.at(-1) ? OWN_PLACE : placeAt("index", node.shape));
    const own = [...(anchor ? [anchor] : []), ...chain];
    const stores = group.outputs
      .filter((output) => own.includes(output))
      .flatMap((output) => this.#stores(output, code.value(output, OWN_PLACE), lane));
    const reductions = this.#reductions().flatMap(({ sumOf }, position) =>
      own.includes(sumOf!) ? [`total_${position} += ${code.value(sumOf!, OWN_PLACE)};`] : [],
    );
    const taken = own.flatMap((node) => this.#atomics.takeLines(node, code.value(node, OWN_PLACE), OWN_PLACE.index));
    return [`// ${first.dtype}[${first.shape.join(", ")}]`, ...code.lines, ...stores, ...reductions, ...taken];
  }

  #reductions(): Member[] {
    return this.#task.group.members.filter(({ sumOf }) => sumOf);
  }

  /** Each thread's part of every fused reduction, and the function that finishes them at the end of the kernel. */
  #reductionFunctions(): string[] {
    const { group } = this.#task;
    const anchors = anchorsOf(group);
    if (!anchorKernel(anchors[0]!)!.fusesReductions) return [];
    const reductions = this.#reductions();
    const parts = reductions.map((_, position) => `var<private> total_${position}: f32 = 0.0;`);
    const finishes = reductions.map((member, position) =>
      functionText(
        `finish_reduction_${position}(index: u32, row: u32, column: u32, value: f32)`,
        this.#memberLines(member),
      ),
    );
    const head = "finish_reductions(thread: u32, zero: u32)";
    if (reductions.length === 0) return [functionText(head, [])];
    const sums = reductions.map((_, position) => `set_group_value(${position}u, thread, total_${position});`);
    const results = reductions.map(({ anchor, sumOf }, position) => {
      const divisor = fullReduction(anchor!) === "mean" ? ` / f32(${integerLiteral(sumOf!.size)})` : "";
      return `finish_reduction_${position}(0u, 0u, 0u, group_sum(${position}u, zero)${divisor});`;
    });
    const lines = [...sums, "add_group_values(thread, zero);", "if (thread == 0u) {", ...results, "}"];
    const declarations = [`const SUMS = ${integerLiteral(reductions.length)};`, groupSumsLibrary];
    return [...declarations, ...parts, ...finishes, functionText(head, lines)];
  }

  /** The current value of the output that a launch accumulates into. */
  #storedFunction(): string {
    const accumulated = this.#task.launch.accumulates ? this.#bindings.stored[0] : undefined;
    return functionText("stored(index: u32) -> f32", [`return ${accumulated ? this.#element(accumulated) : "0.0"};`]);
  }

  #element(tensor: Tensor, lane?: Lane): string {
    const { name, range } = this.#bindings.bind(tensor, "read_write");
    if (lane) return `${name}_vec4.${lane}`;
    return `${name}[${shifted("index", range.start)}]`;
  }

  #stores(output: Tensor, value: string, lane: Lane | undefined): string[] {
    const line = `${this.#element(output, lane)} = ${value};`;
    return this.#trace.holds(output) ? [line, this.#traced().store(output, value)] : [line];
  }

  /** The trace. Its words are addressed by the step's slot, a per-step scalar. */
  #traced(): KernelTrace {
    this.#dispatch.usesScalars = true;
    return this.#trace;
  }

  #name(): string {
    const { group, launch } = this.#task;
    const name = groupName(group);
    const [first] = nodesOf(group);
    return launch.float16 ? name.replace(first!.op.name, `${first!.op.name} float16`) : name;
  }

  /** What a plan shows of the kernel, once its text has been written. */
  describe(): Omit<Launch, "code" | "bindings" | "arguments" | "grid"> {
    const { group, launch } = this.#task;
    const chain = launch.partial ? [] : nodesOf(group);
    return {
      kernel: this.#name(),
      float16: launch.float16 ?? false,
      shapes: groupShapes(group, Object.values(launch.reads)),
      flops: launch.flops + pointwiseFlops(chain),
      bytes: this.#bindings.touchedBytes(),
    };
  }
}

function shifted(index: string, start: number): string {
  if (start === 0) return index;
  return start > 0 ? `${index} - ${integerLiteral(start)}` : `${index} + ${integerLiteral(-start)}`;
}

const functionText = (head: string, lines: readonly string[]) =>
  `fn ${head} {\n${lines.map((line) => `    ${line}\n`).join("")}}`;

/** What the kernels of a dispatch share, before one is written. */
export const dispatchText = (atomicTrace: boolean, memory = new BoundMemory()): DispatchText => ({
  memory,
  arguments: new DispatchArguments(),
  libraries: new Set(),
  atomicTrace,
  usesScalars: false,
});

/** The WGSL before the kernels of a dispatch: what it binds, and libraries. */
export function sharedDeclarations(dispatch: DispatchText, scalars: number): string[] {
  const { memory, usesScalars, libraries } = dispatch;
  return [
    ...memory.declarations(),
    ...dispatch.arguments.declaration(memory.count),
    ...(usesScalars ? [scalarsDeclaration(scalars)] : []),
    numbersLibrary,
    ...libraries,
  ];
}

function scalarsDeclaration(length: number): string {
  const values = length === 0 ? "" : `, values: array<vec4<u32>, ${integerLiteral(length)}>`;
  return `struct Scalars { slot: u32, zero: f32${values} }\n@group(1) @binding(0) var<uniform> scalars: Scalars;`;
}
