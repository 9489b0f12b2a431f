import type { Tensor } from "../../../graph/tensor.ts";
import type { Index } from "../../../ops/wasm/indices.ts";
import { MATH_FUNCTIONS, type Vector } from "../../../ops/wasm/vectors.ts";
import type { Body, Level } from "./body.ts";
import { code, HostCall, V128, type Code } from "./code.ts";
import { bytesOf, type IntegerCode } from "./integer-code.ts";
import type { Rows } from "./rows.ts";

/** The cost of a call, in bytes of code, in the estimate of a function's cost. */
const MATH_COST = 240;
const HOST_COST = 600;

const LANES = [0, 1, 2, 3];

type Computed = Exclude<Vector, { kind: "constant" }>;

/** Writes code for vectors. Values that are constant along a row are computed before the loop over its elements. */
export class VectorCode {
  /** The cost of the calls per four elements. */
  callCost = 0;
  readonly #body: Body;
  readonly #rows: Rows;
  readonly #integers: IntegerCode;
  readonly #uses: ReadonlyMap<Vector, number>;
  readonly #levels = new Map<Vector, Level>();

  /** @param roots the vectors that will be written */
  constructor(body: Body, rows: Rows, integers: IntegerCode, roots: readonly Vector[]) {
    this.#body = body;
    this.#rows = rows;
    this.#integers = integers;
    this.#uses = usesOf(roots);
  }

  /** The code that leaves a vector on the stack. */
  push(vector: Vector, level: Level): Code {
    if (vector.kind === "constant") return code.vectorConstant(LANES.map(() => vector.bits));
    const own = this.#levelOf(vector);
    if (own < level) return code.get(this.#body.keep(vector, own, V128, () => this.#compute(vector, own)));
    const known = this.#body.known(vector);
    if (known !== undefined) return code.get(known);
    const computed = this.#compute(vector, level);
    return this.#uses.get(vector) === 1 ? computed : [computed, code.tee(this.#body.remember(vector, V128))];
  }

  #levelOf(vector: Vector): Level {
    const level = this.#levels.get(vector) ?? this.#findLevel(vector);
    this.#levels.set(vector, level);
    return level;
  }

  #findLevel(vector: Vector): Level {
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

  #compute(vector: Computed, level: Level): Code {
    switch (vector.kind) {
      case "load":
        return this.#load(vector.tensor, vector.index);
      case "integers":
        return this.#integersOf(vector.index);
      case "instruction":
        return [vector.inputs.map((input) => this.push(input, level)), code.vector(vector.name)];
      case "shift":
        return [this.push(vector.input, level), code.integer(vector.bits), code.shift(vector.name)];
      case "math":
        this.callCost += MATH_COST;
        return [vector.inputs.map((input) => this.push(input, level)), code.call(MATH_FUNCTIONS.indexOf(vector.name))];
      default:
        this.callCost += HOST_COST;
        return this.#host(vector, level);
    }
  }

  /** Loads four elements of a tensor. Bytes are converted to float32. */
  #load(tensor: Tensor, index: Index): Code {
    const isBytes = bytesOf(tensor) === 1;
    const { stride } = this.#rows.courseOf(index);
    const first = this.#integers.addressOf(tensor, index);
    if (stride === 0) {
      if (!isBytes) return [first, code.vectorLoadSame];
      return [first, code.loadByte, code.integerSplat, code.floatOfSigned];
    }
    if (stride === 1) {
      if (!isBytes) return [first, code.vectorLoad];
      return [first, code.vectorLoadOne, code.widenBytes, code.floatOfSigned];
    }
    const others = [3, 2, 1].map((lane) => this.#integers.addressOf(tensor, index, lane));
    if (!isBytes) return [others, first, code.vectorLoadOne, [1, 2, 3].map(code.vectorLoadLane)];
    const loads = LANES.map((lane) => code.vectorLoadByteLane(4 * lane));
    return [others, first, code.vectorConstant([0, 0, 0, 0]), loads, code.floatOfSigned];
  }

  #integersOf(index: Index): Code {
    const { stride } = this.#rows.courseOf(index);
    if (stride === 0) return [this.#integers.base(index), code.integerSplat];
    if (index.kind === "stored") return this.#load(index.tensor, index.index);
    if (index.kind === "lanes") return this.push(index.vector, 2);
    if (stride === undefined) {
      const [first, ...others] = LANES.map((lane) => this.#integers.of(index, lane));
      const replaced = others.map((integer, position) => [integer, code.replaceInteger(position + 1)]);
      return [first!, code.integerSplat, replaced];
    }
    const factor = stride === 1 ? [] : [code.integer(stride), code.integerSplat, code.vector("i32x4.mul")];
    const base = [this.#integers.base(index), code.integerSplat, code.vector("i32x4.add")];
    return [this.#integers.elements(), factor, base];
  }

  /** Calls a JavaScript function for each lane. */
  #host({ compute, inputs, takesIntegers, parameters }: Vector & { kind: "host" }, level: Level): Code {
    const operands = inputs.map(() => this.#body.local(V128));
    const result = this.#body.local(V128);
    const call = new HostCall(compute, inputs.length + parameters.length);
    const given = inputs.map((input, position) => [this.push(input, level), code.set(operands[position]!)]);
    const element = (operand: number, lane: number): Code =>
      takesIntegers
        ? [code.get(operand), code.integerLane(lane), code.doubleOfUnsigned]
        : [code.get(operand), code.floatLane(lane), code.doubleOfFloat];
    const lanes = LANES.map((lane): Code => [
      code.get(result),
      operands.map((operand) => element(operand, lane)),
      parameters.map((value) => code.double(value)),
      code.callHost(call),
      code.floatOfDouble,
      code.replaceFloat(lane),
      code.set(result),
    ]);
    return [given, lanes, code.get(result)];
  }
}

/** The number of times that each vector is read, by other vectors or as a root. */
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
