import type { Tensor } from "../../../graph/tensor.ts";
import type { Index } from "../../../ops/wasm/indices.ts";
import { MATH_FUNCTIONS, type Vector } from "../../../ops/wasm/vectors.ts";
import { unsigned } from "./bytes.ts";
import { code, HostCall, I32, V128, type Code } from "./code.ts";
import { Rows, type Course } from "./rows.ts";

/** What a function stores for each element, and where: in a tensor, or in scratch memory. */
export interface Store {
  readonly value: Vector;
  readonly to: Tensor | "scratch";
}

/** Parameters of every function. */
const [ARGUMENTS, START, END, SCRATCH] = [0, 1, 2, 3];

/** Parts of a function by how often they run: once, once a row, once for four elements. */
type Level = 0 | 1 | 2;

const PARTIAL_LANES = [1, 2] as const;

/**
 * Writes a function that runs over the elements of a chain row by row, four at a time. The last ones of a row are
 * computed as four too, and stored singly, so that where a range starts and ends changes no bits.
 */
export class ChainWriter {
  /** In the order of the argument block. */
  readonly tensors: Tensor[] = [];
  /** About how long an element takes. */
  readonly cost: number;
  readonly code: Readonly<Code>;
  readonly #rows: Rows;
  readonly #several: boolean;
  readonly #uses: ReadonlyMap<Vector, number>;
  readonly #levels: readonly [Code, Code, Code] = [[], [], []];
  /** Runs before the rest of level 2. */
  readonly #lanes: Code = [];
  readonly #locals: number[] = [];
  readonly #known = new Map<unknown, number>();
  readonly #element = this.#local(I32);
  readonly #rowStart = this.#local(I32);
  readonly #rowEnd = this.#local(I32);
  #calls = 0;

  /**
   * @param size elements of the chain
   * @param columns elements of a row
   */
  constructor(stores: readonly Store[], size: number, columns: number) {
    this.#rows = new Rows(columns);
    this.#several = columns < size;
    this.#uses = usesOf(stores.map(({ value }) => value));
    const four = this.#fourElements(stores);
    this.code = [...this.#declarations(), ...this.#function(four)];
    const vectors = Math.ceil(columns / 4);
    this.cost = (vectors * (four.length + this.#lanes.length + this.#calls) + this.#levels[1].length) / columns;
  }

  #function(four: Readonly<Code>): Code {
    const elements = [
      ...[...code.loop, ...this.#lanes, ...four],
      ...[...code.get(this.#element), ...code.integer(4), ...code.add, ...code.tee(this.#element)],
      ...[...code.get(this.#rowEnd), ...code.lessUnsigned, ...code.branchIf(0), ...code.end],
    ];
    const begin = [
      ...[...code.get(START), ...code.get(END), ...code.atLeastUnsigned],
      ...[...code.if, ...code.return, ...code.end],
      ...this.#levels[0],
      ...[...code.get(START), ...code.set(this.#element)],
    ];
    if (!this.#several)
      return [...begin, ...code.get(END), ...code.set(this.#rowEnd), ...this.#levels[1], ...elements, ...code.end];
    const { columns } = this.#rows;
    return [
      ...[...begin, ...code.loop],
      ...[...code.get(this.#element), ...code.get(this.#element), ...code.integer(columns), ...code.remainder],
      ...[...code.subtract, ...code.tee(this.#rowStart), ...code.integer(columns), ...code.add],
      ...smaller(this.#rowEnd, END),
      ...[...this.#levels[1], ...elements],
      ...[...code.get(this.#rowEnd), ...code.tee(this.#element), ...code.get(END), ...code.lessUnsigned],
      ...[...code.branchIf(0), ...code.end, ...code.end],
    ];
  }

  #declarations(): number[] {
    return [...unsigned(this.#locals.length), ...this.#locals.flatMap((type) => [1, type])];
  }

  /** Computes all values before it stores any: an output may lie where an input does. */
  #fourElements(stores: readonly Store[]): Code {
    const computed: Code = [];
    const results = stores.map(({ value, to }) => {
      computed.push(...this.#push(value, 2));
      const local = this.#known.get(value) ?? this.#local(V128);
      computed.push(...code.set(local));
      const start = to === "scratch" ? this.#scratchStart() : code.get(this.#address(to));
      return { local, address: [...start, ...this.#offset(4), ...code.add] };
    });
    const whole = results.flatMap(({ local, address }) => [...address, ...code.get(local), ...code.vectorStore]);
    const lane = (position: number) =>
      results.flatMap(({ local, address }) => [...address, ...code.get(local), ...code.vectorStoreLane(position)]);
    const left = [...code.get(this.#rowEnd), ...code.get(this.#element), ...code.subtract];
    const others = PARTIAL_LANES.flatMap((position) => [
      ...[...left, ...code.integer(position), ...code.greaterUnsigned],
      ...[...code.if, ...lane(position), ...code.end],
    ]);
    return [
      ...computed,
      ...[...left, ...code.integer(4), ...code.atLeastUnsigned],
      ...[...code.if, ...whole, ...code.else, ...lane(0), ...others, ...code.end],
    ];
  }

  /** Leaves a vector on the stack. What is the same for a whole row, or for all elements, is computed before the loop. */
  #push(vector: Vector, level: Level): Code {
    if (vector.kind === "constant") return code.vectorConstant(new Array<number>(4).fill(vector.bits));
    const known = this.#known.get(vector);
    if (known !== undefined) return code.get(known);
    const own = this.#levelOf(vector);
    if (own < level) return code.get(this.#before(vector, own, V128, this.#compute(vector, own)));
    const made = this.#compute(vector, level);
    if (this.#uses.get(vector)! < 2) return made;
    return [...made, ...code.tee(this.#remember(vector, V128))];
  }

  #compute(vector: Exclude<Vector, { kind: "constant" }>, level: Level): Code {
    switch (vector.kind) {
      case "load":
        return this.#load(vector.tensor, vector.index);
      case "integers":
        return this.#integers(vector.index);
      case "instruction":
        return [...vector.inputs.flatMap((input) => this.#push(input, level)), ...code.vector(vector.name)];
      case "shift":
        return [...this.#push(vector.input, level), ...code.integer(vector.bits), ...code.shift(vector.name)];
      case "math":
        this.#calls += MATH_COST;
        return [
          ...vector.inputs.flatMap((input) => this.#push(input, level)),
          ...code.call(MATH_FUNCTIONS.indexOf(vector.name)),
        ];
      default:
        return this.#host(vector, level);
    }
  }

  /** Calls a JavaScript function for one lane after the other. */
  #host({ compute, inputs, takesIntegers, parameters }: Vector & { kind: "host" }, level: Level): Code {
    this.#calls += HOST_COST;
    const operands = inputs.map(() => this.#local(V128));
    const result = this.#local(V128);
    const given = inputs.flatMap((input, position) => [...this.#push(input, level), ...code.set(operands[position]!)]);
    const call = new HostCall(compute, inputs.length + parameters.length);
    const lanes = [0, 1, 2, 3].flatMap((lane): Code => [
      ...code.get(result),
      ...operands.flatMap((operand) => [
        ...code.get(operand),
        ...(takesIntegers
          ? [...code.integerLane(lane), ...code.doubleOfUnsigned]
          : [...code.floatLane(lane), ...code.doubleOfFloat]),
      ]),
      ...parameters.flatMap(code.double),
      ...[...code.callHost(call), ...code.floatOfDouble, ...code.replaceFloat(lane), ...code.set(result)],
    ]);
    return [...given, ...lanes, ...code.get(result)];
  }

  #levelOf(vector: Vector): Level {
    switch (vector.kind) {
      case "constant":
        return 0;
      case "load":
      case "integers": {
        const { stride, fixed } = this.#rows.courseOf(vector.index);
        return stride === 0 ? (fixed ? 0 : 1) : 2;
      }
      case "shift":
        return this.#levelOf(vector.input);
      default:
        return Math.max(0, ...vector.inputs.map((input) => this.#levelOf(input))) as Level;
    }
  }

  #integers(index: Index): Code {
    const { stride } = this.#rows.courseOf(index);
    if (index.kind === "stored" && stride !== 0) return this.#load(index.tensor, index.index);
    if (stride === 0) return [...this.#base(index), ...code.integerSplat];
    if (stride === undefined) {
      const others = [1, 2, 3].flatMap((lane) => [...this.#at(index, this.#lane(lane)), ...code.replaceInteger(lane)]);
      return [...this.#at(index, code.get(this.#element)), ...code.integerSplat, ...others];
    }
    const elements = this.#elements();
    const scaled =
      stride === 1
        ? elements
        : [...elements, ...code.integer(stride), ...code.integerSplat, ...code.vector("i32x4.mul")];
    return [...scaled, ...this.#base(index), ...code.integerSplat, ...code.vector("i32x4.add")];
  }

  /** Four elements of a tensor; bytes as float32 numbers. */
  #load(tensor: Tensor, index: Index): Code {
    const bytes = tensor.dtype === "uint8" ? 1 : 4;
    const course = this.#rows.courseOf(index);
    if (course.stride === 0) {
      const address = code.get(this.#pointer(tensor, index, course, bytes));
      if (bytes === 4) return [...address, ...code.vectorLoadSame];
      return [...address, ...code.loadByte, ...code.integerSplat, ...code.floatOfSigned];
    }
    if (course.stride === 1) {
      const address = [...code.get(this.#pointer(tensor, index, course, bytes)), ...this.#offset(bytes), ...code.add];
      if (bytes === 4) return [...address, ...code.vectorLoad];
      return [...address, ...code.vectorLoadOne, ...code.widenBytes, ...code.floatOfSigned];
    }
    const lanes = [3, 2, 1, 0].flatMap((lane) => this.#addressAt(tensor, index, course, bytes, this.#lane(lane)));
    if (bytes === 4) return [...lanes, ...code.vectorLoadOne, ...[1, 2, 3].flatMap(code.vectorLoadLane)];
    const loads = [0, 4, 8, 12].flatMap(code.vectorLoadByteLane);
    return [...lanes, ...code.vectorConstant([0, 0, 0, 0]), ...loads, ...code.floatOfSigned];
  }

  /** The byte address of the tensor's element for one element of the chain. */
  #addressAt(tensor: Tensor, index: Index, course: Course, bytes: number, element: Code): Code {
    if (course.stride === undefined)
      return [...code.get(this.#address(tensor)), ...scaled(this.#at(index, element), bytes), ...code.add];
    const pointer = code.get(this.#pointer(tensor, index, course, bytes));
    return [...pointer, ...element, ...code.integer(course.stride * bytes), ...code.multiply, ...code.add];
  }

  /** The byte address of what the tensor's element would be for element 0, if the row reached so far. */
  #pointer(tensor: Tensor, index: Index, course: Course, bytes: number): number {
    const address = this.#address(tensor);
    if (index.kind === "element" || (index.kind === "constant" && index.value === 0)) return address;
    const key = this.#pointerKey(tensor, index);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = [...code.get(address), ...scaled(this.#base(index), bytes), ...code.add];
    return this.#before(key, course.fixed ? 0 : 1, I32, found);
  }

  readonly #pointerKeys = new Map<Tensor, Map<Index, object>>();

  #pointerKey(tensor: Tensor, index: Index): object {
    const keys = this.#pointerKeys.get(tensor) ?? new Map<Index, object>();
    this.#pointerKeys.set(tensor, keys);
    const key = keys.get(index) ?? {};
    keys.set(index, key);
    return key;
  }

  /** An integer less stride · element, which is the same for a whole row. */
  #base(index: Index): Code {
    if (index.kind === "constant") return code.integer(index.value);
    if (index.kind === "element") return code.integer(0);
    const known = this.#known.get(index);
    if (known !== undefined) return code.get(known);
    const { stride, fixed } = this.#rows.courseOf(index);
    if (fixed) return code.get(this.#before(index, 0, I32, this.#parts(index, code.integer(0))));
    const start = this.#parts(index, code.get(this.#rowStart));
    const travelled = [...code.get(this.#rowStart), ...code.integer(stride!), ...code.multiply, ...code.subtract];
    return code.get(this.#before(index, 1, I32, stride === 0 ? start : [...start, ...travelled]));
  }

  /** An integer for one element. */
  #at(index: Index, element: Readonly<Code>): Code {
    return this.#rows.courseOf(index).stride === 0 ? this.#base(index) : this.#parts(index, element);
  }

  #parts(index: Index, element: Readonly<Code>): Code {
    switch (index.kind) {
      case "element":
        return [...element];
      case "constant":
        return code.integer(index.value);
      case "sum":
        return [...this.#at(index.left, element), ...this.#at(index.right, element), ...code.add];
      case "stored": {
        const offset = scaled(this.#at(index.index, element), 4);
        return [...code.get(this.#address(index.tensor)), ...offset, ...code.add, ...code.load(0)];
      }
      default: {
        const operation = { product: code.multiply, quotient: code.divide, remainder: code.remainder }[index.kind];
        return [...this.#at(index.of, element), ...code.integer(index.by), ...operation];
      }
    }
  }

  /** The element of a lane. Past the end of the row it is the last one, so that no address lies outside of a tensor. */
  #lane(lane: number): Code {
    if (lane === 0) return code.get(this.#element);
    return this.#once(`lane ${lane}`, I32, (local) => [
      ...[...code.get(this.#element), ...code.integer(lane), ...code.add, ...code.tee(local)],
      ...[...code.get(this.#rowEnd), ...code.integer(1), ...code.subtract],
      ...[...code.get(local), ...code.get(this.#rowEnd), ...code.lessUnsigned, ...code.select, ...code.set(local)],
    ]);
  }

  /** The numbers of the four elements. */
  #elements(): Code {
    return this.#once("elements", V128, (local) => [
      ...[...code.get(this.#element), ...code.integerSplat, ...code.vectorConstant([0, 1, 2, 3])],
      ...[...code.vector("i32x4.add"), ...code.set(local)],
    ]);
  }

  /** The first of the four elements, in bytes. */
  #offset(bytes: number): Code {
    if (bytes === 1) return code.get(this.#element);
    return this.#once("offset", I32, (local) => [
      ...[...code.get(this.#element), ...code.integer(2), ...code.shiftLeft, ...code.set(local)],
    ]);
  }

  /** Where element 0 would lie in scratch memory, in which element `start` comes first. */
  #scratchStart(): Code {
    const start = [...code.get(SCRATCH), ...scaled(code.get(START), 4), ...code.subtract];
    return code.get(this.#known.get("scratch") ?? this.#before("scratch", 0, I32, start));
  }

  #address(tensor: Tensor): number {
    const known = this.#known.get(tensor);
    if (known !== undefined) return known;
    this.tensors.push(tensor);
    const word = [...code.get(ARGUMENTS), ...code.load(4 * (this.tensors.length - 1))];
    return this.#before(tensor, 0, I32, word);
  }

  /** Sets a local variable at the start of the loop. */
  #once(name: string, type: number, set: (local: number) => Code): Code {
    let local = this.#known.get(name);
    if (local === undefined) {
      local = this.#remember(name, type);
      this.#lanes.push(...set(local));
    }
    return code.get(local);
  }

  /** Keeps in a local variable what code of a level computes. */
  #before(key: unknown, level: Level, type: number, computed: Readonly<Code>): number {
    const local = this.#remember(key, type);
    this.#levels[level].push(...computed, ...code.set(local));
    return local;
  }

  #remember(key: unknown, type: number): number {
    const local = this.#local(type);
    this.#known.set(key, local);
    return local;
  }

  #local(type: number): number {
    this.#locals.push(type);
    return SCRATCH! + this.#locals.length;
  }
}

/** What a call counts beside bytes of code, in the estimate of a function's cost. */
const MATH_COST = 60;
const HOST_COST = 600;

const scaled = (index: Code, bytes: number): Code =>
  bytes === 1 ? index : [...index, ...code.integer(Math.log2(bytes)), ...code.shiftLeft];

/** Sets a local variable to what lies on the stack or to another variable, whichever is smaller. */
const smaller = (local: number, other: number): Code => [
  ...[...code.tee(local), ...code.get(other), ...code.get(local), ...code.get(other)],
  ...[...code.lessUnsigned, ...code.select, ...code.set(local)],
];

/** How often each vector is read, by others or by a store. */
function usesOf(roots: readonly Vector[]): Map<Vector, number> {
  const uses = new Map<Vector, number>();
  const visit = (vector: Vector): void => {
    const before = uses.get(vector) ?? 0;
    uses.set(vector, before + 1);
    if (before > 0) return;
    if (vector.kind === "shift") visit(vector.input);
    else if ("inputs" in vector) vector.inputs.forEach(visit);
  };
  roots.forEach(visit);
  return uses;
}
