import type { Tensor } from "../../../graph/tensor.ts";
import type { Index } from "../../../ops/wasm/indices.ts";
import type { Vector } from "../../../ops/wasm/vectors.ts";
import { ARGUMENTS, type Body } from "./body.ts";
import { code, I32, V128, type Code } from "./code.ts";
import type { Rows } from "./rows.ts";

/** Writes code for integers and addresses. Values that are constant along a row are computed once per row. */
export class IntegerCode {
  readonly #tensors: Tensor[];
  readonly #body: Body;
  readonly #rows: Rows;
  readonly #pointers = new Map<Tensor, Map<Index, symbol>>();
  readonly #pushVector: (vector: Vector) => Code;

  /**
   * @param tensors the tensors whose addresses are arguments so far, to which those of this part are added
   * @param pushVector writes a vector for the current four elements
   */
  constructor(body: Body, rows: Rows, tensors: Tensor[], pushVector: (vector: Vector) => Code) {
    this.#tensors = tensors;
    this.#body = body;
    this.#rows = rows;
    this.#pushVector = pushVector;
  }

  /** The byte address of a tensor's first element. */
  address(tensor: Tensor): Code {
    const load = () => {
      const known = this.#tensors.indexOf(tensor);
      return [code.get(ARGUMENTS), code.load(4 * (known < 0 ? this.#tensors.push(tensor) - 1 : known))];
    };
    return code.get(this.#body.keep(tensor, 0, I32, load));
  }

  /** The byte address of the element of a tensor that a lane reads. */
  addressOf(tensor: Tensor, index: Index, lane = 0): Code {
    const bytes = bytesOf(tensor);
    const { stride } = this.#rows.courseOf(index);
    if (stride === undefined) return [this.address(tensor), scaled(this.of(index, lane), bytes), code.add];
    const start = this.#rowAddress(tensor, index);
    if (stride === 0) return start;
    if (stride === 1 && lane === 0) return [start, this.firstOffset(bytes), code.add];
    return [start, this.#lane(lane), code.integer(stride * bytes), code.multiply, code.add];
  }

  /** The value of an integer in a lane. */
  of(index: Index, lane: number): Code {
    return this.#at(index, this.#lane(lane), lane);
  }

  /** The value of an integer minus stride · element, which is constant along a row. */
  base(index: Index): Code {
    if (index.kind === "constant") return code.integer(index.value);
    if (index.kind === "element") return code.integer(0);
    const { stride, fixed } = this.#rows.courseOf(index);
    if (fixed) return code.get(this.#body.keep(index, 0, I32, () => this.#parts(index, code.integer(0))));
    const rowStart = code.get(this.#body.rowStart);
    const before = stride === 0 ? [] : [rowStart, code.integer(stride!), code.multiply, code.subtract];
    return code.get(this.#body.keep(index, 1, I32, () => [this.#parts(index, rowStart), before]));
  }

  /** The indices of the four elements, as a vector. */
  elements(): Code {
    const first = [code.get(this.#body.element), code.integerSplat, code.vectorConstant([0, 1, 2, 3])];
    return code.get(this.#body.keep("elements", 2, V128, () => [first, code.vector("i32x4.add")]));
  }

  /** The byte offset of the first of the four elements. */
  firstOffset(bytes: number): Code {
    const element = code.get(this.#body.element);
    return bytes === 1 ? element : code.get(this.#body.keep("offset", 2, I32, () => scaled(element, bytes)));
  }

  /** The element of a lane. Past the end of the row it is the last element, so that no address is outside a tensor. */
  #lane(lane: number): Code {
    const [element, end] = [code.get(this.#body.element), code.get(this.#body.rowEnd)];
    if (lane === 0) return element;
    const own = [element, code.integer(lane), code.add];
    const last = [end, code.integer(1), code.subtract];
    const choice = () => [own, last, this.#isInRow(lane), code.select];
    return code.get(this.#body.keep(`lane ${lane}`, 2, I32, choice));
  }

  #isInRow(lane: number): Code {
    return [code.get(this.#body.element), code.integer(lane), code.add, code.get(this.#body.rowEnd), code.lessUnsigned];
  }

  /** The integer in a lane of a vector. Past the end of the row it is that of the first lane. */
  #ofVector(index: Index & { kind: "lanes" }, lane: number): Code {
    const vector = code.get(this.#body.keep(index, 2, V128, () => this.#pushVector(index.vector)));
    const own = [vector, code.integerLane(lane)];
    return lane === 0 ? own : [own, vector, code.integerLane(0), this.#isInRow(lane), code.select];
  }

  /** The address that a tensor's element for element 0 of the chain would have if the row extended that far. */
  #rowAddress(tensor: Tensor, index: Index): Code {
    const address = this.address(tensor);
    if (index.kind === "element" || (index.kind === "constant" && index.value === 0)) return address;
    const level = this.#rows.courseOf(index).fixed ? 0 : 1;
    const shifted = () => [address, scaled(this.base(index), bytesOf(tensor)), code.add];
    return code.get(this.#body.keep(this.#keyOf(tensor, index), level, I32, shifted));
  }

  #keyOf(tensor: Tensor, index: Index): symbol {
    const keys = this.#pointers.get(tensor) ?? new Map<Index, symbol>();
    const key = keys.get(index) ?? Symbol("row address");
    this.#pointers.set(tensor, keys.set(index, key));
    return key;
  }

  #at(index: Index, element: Code, lane: number): Code {
    return this.#rows.courseOf(index).stride === 0 ? this.base(index) : this.#parts(index, element, lane);
  }

  #parts(index: Index, element: Code, lane = 0): Code {
    const part = (of: Index) => this.#at(of, element, lane);
    switch (index.kind) {
      case "element":
        return element;
      case "constant":
        return code.integer(index.value);
      case "sum":
        return [part(index.left), part(index.right), code.add];
      case "choice": {
        const isBelow = [part(index.of), code.integer(index.by), code.lessUnsigned];
        return [part(index.below), part(index.otherwise), isBelow, code.select];
      }
      case "lanes":
        return this.#ofVector(index, lane);
      case "stored":
        return [this.address(index.tensor), scaled(part(index.index), 4), code.add, code.load(0)];
      default: {
        const operation = { product: code.multiply, quotient: code.divide, remainder: code.remainder }[index.kind];
        return [part(index.of), code.integer(index.by), operation];
      }
    }
  }
}

/** The size of an element in bytes. */
export const bytesOf = ({ dtype }: Tensor): 1 | 4 => (dtype === "uint8" ? 1 : 4);

/** An integer times 1 or 4. */
export const scaled = (integer: Code, bytes: number): Code =>
  bytes === 1 ? integer : [integer, code.integer(2), code.shiftLeft];
