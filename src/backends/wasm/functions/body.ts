import { unsigned } from "./bytes.ts";
import { code, I32, type Code } from "./code.ts";

/** The parameters of every function. */
export const [ARGUMENTS, START, END, SCRATCH] = [0, 1, 2, 3] as const;
const PARAMETERS = 4;

/** The declarations of a function's local variables. */
export const declarations = (types: readonly number[]): Code => [
  unsigned(types.length),
  types.map((type) => [1, type]),
];

/** How often a part of a function runs: once, once per row, or once per four elements. */
export type Level = 0 | 1 | 2;

/** Local variables, and the instructions written so far at each level. */
export class Body {
  /** The index of the first of the four elements. */
  readonly element: number;
  /** The first element of the row, and the end of the elements to compute in it. */
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly levels: readonly [Code[], Code[], Code[]] = [[], [], []];
  readonly #types: number[];
  readonly #known = new Map<unknown, number>();

  /** @param types the types of the function's local variables so far, to which those of this part are added */
  constructor(types: number[]) {
    this.#types = types;
    [this.element, this.rowStart, this.rowEnd] = [this.local(I32), this.local(I32), this.local(I32)];
  }

  /** Adds a local variable. */
  local(type: number): number {
    return PARAMETERS + this.#types.push(type) - 1;
  }

  /** The variable that holds the value for a key. */
  known(key: unknown): number | undefined {
    return this.#known.get(key);
  }

  /** Adds a variable for the value of a key. */
  remember(key: unknown, type: number): number {
    const local = this.local(type);
    this.#known.set(key, local);
    return local;
  }

  /** The variable for a key. If there is none yet, it is computed at the end of the level's instructions so far. */
  keep(key: unknown, level: Level, type: number, compute: () => Code): number {
    const known = this.known(key);
    if (known !== undefined) return known;
    const computed = compute();
    const local = this.remember(key, type);
    this.levels[level].push(computed, code.set(local));
    return local;
  }
}
