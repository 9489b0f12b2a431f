import { unsigned } from "./bytes.ts";
import { code, I32, type Code } from "./code.ts";

/** Parameters of every function. */
export const [ARGUMENTS, START, END, SCRATCH] = [0, 1, 2, 3] as const;
const PARAMETERS = 4;

/** Parts of a function by how often they run: once, once a row, once for four elements. */
export type Level = 0 | 1 | 2;

/** Local variables, and the instructions of each level that have been written so far. */
export class Body {
  /** The first of the four elements. */
  readonly element: number;
  /** The first element of the row, and the end of what is computed of it. */
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly levels: readonly [Code[], Code[], Code[]] = [[], [], []];
  readonly #types: number[] = [];
  readonly #known = new Map<unknown, number>();

  constructor() {
    [this.element, this.rowStart, this.rowEnd] = [this.local(I32), this.local(I32), this.local(I32)];
  }

  get declarations(): Code {
    return [unsigned(this.#types.length), this.#types.map((type) => [1, type])];
  }

  /** A new local variable. */
  local(type: number): number {
    return PARAMETERS + this.#types.push(type) - 1;
  }

  /** The variable that holds what the key stands for. */
  known(key: unknown): number | undefined {
    return this.#known.get(key);
  }

  /** A new variable for what the key stands for. */
  remember(key: unknown, type: number): number {
    const local = this.local(type);
    this.#known.set(key, local);
    return local;
  }

  /** The variable of a key. If there is none yet, it is set at the end of a level's instructions so far. */
  keep(key: unknown, level: Level, type: number, compute: () => Code): number {
    const known = this.known(key);
    if (known !== undefined) return known;
    const computed = compute();
    const local = this.remember(key, type);
    this.levels[level].push(computed, code.set(local));
    return local;
  }
}
