import bytesLibrary from "../../../shaders/bytes.wgsl?raw";
import numbersLibrary from "../../../shaders/numbers.wgsl?raw";
import { alignedBefore } from "../../alignment.ts";
import { DeviceError } from "../../errors.ts";
import type { BufferAccess } from "../../device/pipelines.ts";
import type { DType, Tensor } from "../../graph/tensor.ts";
import type { AnchorLaunch, ElementRange } from "../../ops/kernel.ts";
import { integerLiteral } from "../../ops/webgpu/wgsl.ts";
import { byteRows, byteRowWords } from "./bytes.ts";
import { ElementCode, placeAt, type ElementScope, type Lane } from "./element.ts";
import { anchorsOf, nodesOf, type Group, type Member } from "../../compiler/fuse.ts";
import { groupName, groupShapes, touchedBytes } from "../../compiler/describe.ts";
import { gathersFrom, totalOperation } from "../../compiler/nodes.ts";
import { rootOf } from "../../graph/views.ts";
import { AtomicText } from "./atomics.ts";
import { isShared } from "./four.ts";
import { anchorKernel, pointwiseKernel } from "./kernels.ts";
import { KernelTrace, tracedTensors } from "./trace.ts";
import { OWN_PLACE as PLACE, type Binding, type Launch, type StepContext } from "./launch.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { Region } from "../../compiler/regions.ts";

/** A tensor's memory as one kernel sees it. */
interface BoundTensor {
  readonly name: string;
  readonly tensor: Tensor;
  readonly dtype: DType;
  readonly region: Region;
  readonly range: ElementRange;
  readonly access: BufferAccess;
}

interface KernelParts extends StepContext {
  readonly plan: Plan;
  readonly group: Group;
  readonly launch: AnchorLaunch;
}

const TRACE = "trace";

const LANES: readonly Lane[] = ["x", "y", "z", "w"];

const wgslType = (dtype: DType) => (dtype === "float32" ? "f32" : "u32");

/**
 * Writes the WGSL of one dispatch: constants, bindings, and the functions that tie a kernel's own text to memory
 * (`read_…`, `finish…`, `stored`, `finish_totals`, `finish_thread`) before that text.
 */
export class KernelWriter implements ElementScope {
  readonly inlined: ReadonlySet<Tensor>;
  readonly #parts: KernelParts;
  readonly #libraries = new Set<string>();
  readonly #bindings: BoundTensor[] = [];
  readonly #atomics: AtomicText;
  readonly #trace: KernelTrace;
  /** Reads of single elements before a thread computes four, by the names that they are given. */
  readonly #shared = new Map<string, string>();
  #usesScalars = false;

  constructor(parts: KernelParts) {
    const { group, launch, plan } = parts;
    this.#parts = parts;
    const atomics = launch.partial ? [] : group.atomics;
    this.#atomics = new AtomicText(this, atomics, group.replacements);
    this.#trace = new KernelTrace(plan, { ...group, atomics });
    this.inlined = parts.plan.fusion.inlined;
  }

  write(): Launch {
    const { group, launch } = this.#parts;
    // Outputs are bound first: one that works in place is then read through the same binding.
    for (const output of this.#stored()) this.#bind(output, "read_write");
    const functions = [
      ...this.#atomics.declarations(),
      ...this.#finishFunctions(),
      functionText(
        "finish_thread()",
        this.#atomics.finishLines(() => this.#traced()),
      ),
      ...this.#readFunctions(),
    ];
    if (this.#trace.isUsed) this.#bindTrace();
    const bound = [
      ...this.#bindings.filter(({ access }) => access === "read"),
      ...this.#bindings.filter(({ access }) => access !== "read"),
    ];
    const constants = { ...launch.constants, OUTPUT_COLUMNS: nodesOf(group)[0]!.shape.at(-1) ?? 1 };
    const code = [
      ...(launch.subgroups ? ["enable subgroups;"] : []),
      ...(launch.float16 ? ["enable f16;"] : []),
      ...Object.entries(constants).map(
        ([name, value]) => `const ${name} = ${typeof value === "number" ? integerLiteral(value) : value};`,
      ),
      ...bound.map(
        (one, binding) =>
          `@group(0) @binding(${binding}) var<storage, ${one.access}> ${one.name}: array<${this.#elementType(one)}>;`,
      ),
      ...(this.#usesScalars ? [this.#scalarsDeclaration()] : []),
      numbersLibrary,
      ...this.#libraries,
      ...functions,
      launch.source,
    ].join("\n");
    return { ...this.#describe(), code, grid: launch.grid, bindings: bound.map((binding) => this.#window(binding)) };
  }

  load(tensor: Tensor, index: string, lane: Lane | undefined): string {
    if (this.#parts.plan.fusion.atomics.includes(tensor)) return this.#once(this.#traced().load(tensor), lane);
    const { name, range } = this.#bind(tensor, "read");
    if (tensor.dtype === "uint8") return this.#loadByte(tensor, name, index);
    if (lane && !isShared(tensor)) return `${name}_four.${lane}`;
    return this.#once(`${name}[${shifted(index, range.start)}]`, lane);
  }

  /** A read; where a thread computes four elements that share it, the name of what was read before. */
  #once(read: string, lane: Lane | undefined): string {
    if (!lane) return read;
    const name = this.#shared.get(read) ?? `shared_${this.#shared.size}`;
    this.#shared.set(read, name);
    return name;
  }

  #elementType(bound: BoundTensor): string {
    if (bound.name === TRACE) return this.#trace.type;
    return this.#parts.launch.four && !isShared(bound.tensor) ? "vec4<f32>" : wgslType(bound.dtype);
  }

  scalar(tensor: Tensor): string {
    this.#usesScalars = true;
    return `scalars.value_${this.#parts.scalars.indexOf(tensor)}`;
  }

  zero(): string {
    this.#usesScalars = true;
    return "scalars.zero";
  }

  single(tensor: Tensor): string {
    return `${this.#bind(tensor, "read_write").name}[0u]`;
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

  /** What this launch writes: what has memory, or only the bare sum if there is more to come. */
  #stored(): Tensor[] {
    const { group, launch } = this.#parts;
    return launch.partial ? group.outputs.slice(0, 1) : [...group.outputs, ...group.replacements];
  }

  #bind(tensor: Tensor, access: BufferAccess): BoundTensor {
    const region = this.#parts.plan.regions.get(tensor)!;
    let binding = this.#bindings.find(
      (other) => other.region.buffer === region.buffer && other.region.offset === region.offset,
    );
    if (!binding) {
      const name = `${access === "read" ? "input" : "output"}_${this.#bindings.length}`;
      binding = { name, tensor, dtype: tensor.dtype, region, range: this.#rangeOf(tensor, region), access };
      this.#bindings.push(binding);
    }
    return binding;
  }

  /** The part of a tensor that the launch touches; values of the output's size are touched where the output is. */
  #rangeOf(tensor: Tensor, region: Region): ElementRange {
    const { launch, group } = this.#parts;
    const whole = { start: 0, end: region.elements };
    if (tensor.dtype === "uint8" || nodesOf(group).some((node) => gathersFrom(node, tensor, this.inlined)))
      return whole;
    const name = Object.keys(launch.reads).find((read) => rootOf(launch.reads[read]!) === tensor);
    const range = name
      ? launch.readRanges?.[name]
      : tensor.size === nodesOf(group)[0]!.size
        ? launch.outputRange
        : undefined;
    return range ? { start: alignedBefore(range.start), end: range.end } : whole;
  }

  #window({ tensor, region, range, access }: BoundTensor): Binding {
    const elements = range.end - range.start;
    const { bindingElements } = this.#parts.limits;
    if (elements > bindingElements) {
      throw new DeviceError({
        where: this.#name(),
        what: `${tensor} needs ${4 * elements} bytes in one binding, and this device allows ${4 * bindingElements}`,
        fix: "Use a smaller batch or micro-batches, or train on the CPU",
      });
    }
    return { region: { ...region, offset: region.offset + range.start, elements }, access };
  }

  #readFunctions(): string[] {
    const { reads, readsByRow } = this.#parts.launch;
    return Object.entries(reads).map(([name, tensor]) => {
      const code = new ElementCode(this);
      const value = code.value(tensor, readsByRow ? PLACE : placeAt("index", tensor.shape));
      const flat = `let index = row * ${integerLiteral(tensor.shape.at(-1) ?? 1)} + column;`;
      const [place, first] = readsByRow ? ["row: u32, column: u32", [flat]] : ["index: u32", []];
      return functionText(`read_${name}(${place}) -> ${wgslType(tensor.dtype)}`, [
        ...first,
        ...code.lines,
        `return ${value};`,
      ]);
    });
  }

  /** One function a member, in the launch's names; names that no member has take results and drop them. */
  #finishFunctions(): string[] {
    const { group, launch } = this.#parts;
    const members = group.members.filter(({ totalOf }) => !totalOf);
    if (launch.four) return [this.#finishFour(members[0]!)];
    if (members[0]!.anchor === undefined) return [this.#finishFunction(members[0]!, "finish")];
    const finishes = launch.finishes.map((name, position) => {
      const member = members[position];
      return member
        ? this.#finishFunction(member, name)
        : functionText(`${name}(index: u32, row: u32, column: u32, value: f32)`, []);
    });
    return [this.#storedFunction(), ...this.#totalsFunctions(), ...finishes];
  }

  #finishFunction(member: Member, name: string): string {
    const { anchor } = member;
    const head = `${name}(index: u32, row: u32, column: u32${anchor ? `, value: ${wgslType(anchor.dtype)}` : ""})`;
    if (this.#parts.launch.partial) return functionText(head, [`${this.#element(this.#stored()[0]!)} = value;`]);
    return functionText(head, this.#memberLines(member));
  }

  /** Reads four elements of everything, computes one after the other, and writes four of each result. */
  #finishFour(member: Member): string {
    const columns = integerLiteral(nodesOf(this.#parts.group)[0]!.shape.at(-1) ?? 1);
    const elements = LANES.flatMap((lane, position) => {
      const place = [
        `let index = 4u * four + ${position}u;`,
        `let row = index / ${columns};`,
        `let column = index % ${columns};`,
      ];
      return ["{", ...[...place, ...this.#memberLines(member, lane)].map((line) => `    ${line}`), "}"];
    });
    const at = ({ name, range }: BoundTensor) => `${name}[${shifted("four", range.start / 4)}]`;
    const vectors = this.#bindings.filter(({ tensor }) => !isShared(tensor));
    const reads = [
      ...vectors.map((bound) => `var ${bound.name}_four = ${at(bound)};`),
      ...[...this.#shared].map(([read, name]) => `let ${name} = ${read};`),
    ];
    const writes = vectors
      .filter(({ access }) => access !== "read")
      .map((bound) => `${at(bound)} = ${bound.name}_four;`);
    return functionText("finish_four(four: u32)", [...reads, ...elements, ...writes]);
  }

  /** Computes a member's chain where `index`, `row`, `column` and, after an anchor, `value` are known, and stores it. */
  #memberLines({ anchor, chain }: Member, lane?: Lane): string[] {
    const { group } = this.#parts;
    const first = anchor ?? chain[0]!;
    const code = new ElementCode(this, lane);
    if (anchor) code.bind(anchor, PLACE, "value");
    for (const node of chain)
      code.compute(node, node.shape.at(-1) === first.shape.at(-1) ? PLACE : placeAt("index", node.shape));
    const own = [...(anchor ? [anchor] : []), ...chain];
    const stores = group.outputs
      .filter((output) => own.includes(output))
      .flatMap((output) => this.#stores(output, code.value(output, PLACE), lane));
    const totals = this.#totals().flatMap(({ totalOf }, position) =>
      own.includes(totalOf!) ? [`total_${position} += ${code.value(totalOf!, PLACE)};`] : [],
    );
    const taken = own.flatMap((node) => this.#atomics.takeLines(node, code.value(node, PLACE), PLACE.index));
    return [`// ${first.dtype}[${first.shape.join(", ")}]`, ...code.lines, ...stores, ...totals, ...taken];
  }

  #totals(): Member[] {
    return this.#parts.group.members.filter(({ totalOf }) => totalOf);
  }

  /** Each thread's part of each total, and what becomes of the totals at the kernel's end. */
  #totalsFunctions(): string[] {
    const { group } = this.#parts;
    const anchors = anchorsOf(group);
    if (!anchorKernel(anchors[0]!)!.makesTotals) return [];
    const totals = this.#totals();
    const parts = totals.map((_, position) => `var<private> total_${position}: f32 = 0.0;`);
    const finishes = totals.map((member, position) =>
      functionText(
        `finish_total_${position}(index: u32, row: u32, column: u32, value: f32)`,
        this.#memberLines(member),
      ),
    );
    const lines = totals.flatMap((member, position) => this.#totalLines(member, position));
    return [...parts, ...finishes, functionText("finish_totals(thread: u32)", lines)];
  }

  #totalLines({ anchor, totalOf }: Member, position: number): string[] {
    const isMean = totalOperation(anchor!) === "mean";
    const sum = `sum_over_group(thread, total_${position})${isMean ? ` / f32(${integerLiteral(totalOf!.size)})` : ""}`;
    return [
      `let sum_${position} = ${sum};`,
      `if (thread == 0u) { finish_total_${position}(0u, 0u, 0u, sum_${position}); }`,
    ];
  }

  /** What lies in the output that a launch adds to. */
  #storedFunction(): string {
    const accumulated = this.#parts.launch.accumulates ? this.#stored()[0] : undefined;
    return functionText("stored(index: u32) -> f32", [`return ${accumulated ? this.#element(accumulated) : "0.0"};`]);
  }

  #element(tensor: Tensor, lane?: Lane): string {
    const { name, range } = this.#bind(tensor, "read_write");
    if (lane) return `${name}_four.${lane}`;
    return `${name}[${shifted("index", range.start)}]`;
  }

  #stores(output: Tensor, value: string, lane: Lane | undefined): string[] {
    const line = `${this.#element(output, lane)} = ${value};`;
    return this.#trace.holds(output) ? [line, this.#traced().store(output, value)] : [line];
  }

  /** The trace, whose words are found by the step's slot. */
  #traced(): KernelTrace {
    this.#usesScalars = true;
    return this.#trace;
  }

  #bindTrace(): void {
    const { trace, plan } = this.#parts;
    const range = { start: 0, end: trace.elements };
    const { access } = this.#trace;
    this.#bindings.push({
      name: TRACE,
      tensor: tracedTensors(plan)[0]!,
      dtype: "uint32",
      region: trace,
      range,
      access,
    });
  }

  #scalarsDeclaration(): string {
    const fields = this.#parts.scalars.map(({ dtype }, position) => `value_${position}: ${wgslType(dtype)},`);
    return `struct Scalars { slot: u32, zero: f32, ${fields.join(" ")} }\n@group(1) @binding(0) var<uniform> scalars: Scalars;`;
  }

  #name(): string {
    const { group, launch } = this.#parts;
    const name = groupName(group);
    const [first] = nodesOf(group);
    return launch.float16 ? name.replace(first!.op.name, `${first!.op.name} float16`) : name;
  }

  #describe(): Omit<Launch, "code" | "bindings" | "grid"> {
    const { group, launch } = this.#parts;
    const chainFlops = nodesOf(group).reduce(
      (sum, node) => sum + node.size * (pointwiseKernel(node)?.flops(node) ?? 0),
      0,
    );
    return {
      kernel: this.#name(),
      float16: launch.float16 ?? false,
      shapes: groupShapes(group, Object.values(launch.reads)),
      flops: launch.flops + chainFlops,
      bytes: this.#bindings.reduce((sum, binding) => sum + this.#touchedBytes(binding), 0),
    };
  }

  /** Of the trace a step touches a word. */
  #touchedBytes({ name, tensor, range }: BoundTensor): number {
    if (name === TRACE) return 4;
    return touchedBytes(this.#parts.group, tensor, this.inlined, 4 * (range.end - range.start));
  }
}

const shifted = (index: string, start: number) => (start === 0 ? index : `${index} - ${integerLiteral(start)}`);

const functionText = (head: string, lines: readonly string[]) =>
  `fn ${head} {\n${lines.map((line) => `    ${line}\n`).join("")}}`;
