import type { Index } from "../../../ops/wasm/indices.ts";

/** How an integer changes along a row. */
export interface Course {
  /** Its increment from one element to the next, or undefined if the increment varies. */
  readonly stride: number | undefined;
  /** Whether the value minus stride · element is the same in every row, for an integer with a stride. */
  readonly fixed: boolean;
  /** Whether it is a multiple of the row length at the start of each row. */
  readonly aligned: boolean;
}

const VARYING: Course = { stride: undefined, fixed: false, aligned: false };

/** Divides the elements of a chain into rows of `columns` and determines how integers change along a row. */
export class Rows {
  readonly columns: number;
  readonly #courses = new Map<Index, Course>();

  constructor(columns: number) {
    this.columns = columns;
  }

  courseOf(index: Index): Course {
    const known = this.#courses.get(index);
    if (known) return known;
    const course = this.#find(index);
    this.#courses.set(index, course);
    return course;
  }

  #find(index: Index): Course {
    switch (index.kind) {
      case "element":
        return { stride: 1, fixed: true, aligned: true };
      case "constant":
        return { stride: 0, fixed: true, aligned: index.value % this.columns === 0 };
      case "stored": {
        const { stride, fixed } = this.courseOf(index.index);
        return stride === 0 ? { stride, fixed, aligned: false } : VARYING;
      }
      case "sum": {
        const [left, right] = [this.courseOf(index.left), this.courseOf(index.right)];
        if (left.stride === undefined || right.stride === undefined) return VARYING;
        const [fixed, aligned] = [left.fixed && right.fixed, left.aligned && right.aligned];
        return { stride: left.stride + right.stride, fixed, aligned };
      }
      case "product": {
        const { stride, fixed, aligned } = this.courseOf(index.of);
        if (stride === undefined) return VARYING;
        return { stride: stride * index.by, fixed, aligned: aligned || index.by % this.columns === 0 };
      }
      case "choice":
        return this.#chosen(index);
      case "lanes":
        return VARYING;
      default:
        return this.#divided(index.kind, this.courseOf(index.of), index.by);
    }
  }

  #chosen({ of, by, below, otherwise }: Index & { kind: "choice" }): Course {
    const compared = this.courseOf(of);
    // Consecutive numbers that start at a multiple of the row length are all on the same side of another multiple.
    const isSame = compared.stride === 0 || (compared.stride === 1 && compared.aligned && by % this.columns === 0);
    const [left, right] = [this.courseOf(below), this.courseOf(otherwise)];
    if (!isSame || left.stride === undefined || left.stride !== right.stride) return VARYING;
    const fixed = compared.stride === 0 && compared.fixed && left.fixed && right.fixed;
    return { stride: left.stride, fixed, aligned: left.aligned && right.aligned };
  }

  #divided(kind: "quotient" | "remainder", { stride, fixed, aligned }: Course, by: number): Course {
    if (stride === 0) return { stride, fixed, aligned: kind === "remainder" && aligned && by % this.columns === 0 };
    // Consecutive numbers that start at a multiple of the row length stay between two multiples of `by`.
    if (stride !== 1 || !aligned || by % this.columns !== 0) return VARYING;
    return kind === "quotient"
      ? { stride: 0, fixed: false, aligned: false }
      : { stride: 1, fixed: false, aligned: true };
  }
}

/** The divisors in an index: row lengths along which their quotients do not change. */
export function divisorsIn(index: Index): number[] {
  switch (index.kind) {
    case "element":
    case "constant":
      return [];
    case "stored":
      return divisorsIn(index.index);
    case "sum":
      return [...divisorsIn(index.left), ...divisorsIn(index.right)];
    case "product":
      return divisorsIn(index.of);
    case "choice":
      return [index.of, index.below, index.otherwise].flatMap(divisorsIn);
    case "lanes":
      return [];
    default:
      return [index.by, ...divisorsIn(index.of)];
  }
}
