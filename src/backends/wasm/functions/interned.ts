import type { Tensor } from "../../../graph/tensor.ts";
import type { Index } from "../../../ops/wasm/indices.ts";
import type { Vector } from "../../../ops/wasm/vectors.ts";

/**
 * Represents equal trees by the same object, so that a value which several nodes of a chain compute is computed once,
 * and what is known about a tree can be stored under its identity.
 */
export class Interned {
  readonly #known = new Map<string, Index | Vector>();
  readonly #interned = new Map<Index | Vector, Index | Vector>();
  readonly #ids = new Map<unknown, number>();

  index(index: Index): Index {
    return this.#once(index, () => {
      switch (index.kind) {
        case "element":
          return [index.kind, index];
        case "constant":
          return [`${index.kind} ${index.value}`, index];
        case "sum": {
          const [left, right] = [this.index(index.left), this.index(index.right)];
          return [`${index.kind} ${this.#id(left)} ${this.#id(right)}`, { ...index, left, right }];
        }
        case "choice": {
          const [of, below, otherwise] = [this.index(index.of), this.index(index.below), this.index(index.otherwise)];
          const ids = [of, below, otherwise].map((part) => this.#id(part));
          return [`${index.kind} ${index.by} ${ids.join(" ")}`, { ...index, of, below, otherwise }];
        }
        case "lanes": {
          const vector = this.vector(index.vector);
          return [`${index.kind} ${this.#id(vector)}`, { ...index, vector }];
        }
        case "stored": {
          const inner = this.index(index.index);
          return [`${index.kind} ${this.#id(index.tensor)} ${this.#id(inner)}`, { ...index, index: inner }];
        }
        default: {
          const of = this.index(index.of);
          return [`${index.kind} ${this.#id(of)} ${index.by}`, { ...index, of }];
        }
      }
    });
  }

  vector(vector: Vector): Vector {
    return this.#once(vector, () => {
      switch (vector.kind) {
        case "constant":
          return [`bits ${vector.bits}`, vector];
        case "load": {
          const index = this.index(vector.index);
          return [`${vector.kind} ${this.#id(vector.tensor)} ${this.#id(index)}`, { ...vector, index }];
        }
        case "integers": {
          const index = this.index(vector.index);
          return [`${vector.kind} ${this.#id(index)}`, { ...vector, index }];
        }
        case "shift": {
          const input = this.vector(vector.input);
          return [`${vector.name} ${this.#id(input)} ${vector.bits}`, { ...vector, input }];
        }
        default: {
          const inputs = vector.inputs.map((input) => this.vector(input));
          const name = vector.kind === "host" ? `host ${this.#id(vector.compute)} (${vector.parameters})` : vector.name;
          return [[name, ...inputs.map((input) => this.#id(input))].join(" "), { ...vector, inputs }];
        }
      }
    });
  }

  #once<Tree extends Index | Vector>(tree: Tree, find: () => [string, Tree]): Tree {
    const before = this.#interned.get(tree);
    if (before) return before as Tree;
    const [key, made] = find();
    const known = (this.#known.get(key) as Tree | undefined) ?? made;
    this.#known.set(key, known);
    this.#interned.set(tree, known);
    this.#interned.set(known, known);
    return known;
  }

  #id(thing: Tensor | Index | Vector | ((...values: number[]) => number)): number {
    let id = this.#ids.get(thing);
    if (id === undefined) this.#ids.set(thing, (id = this.#ids.size));
    return id;
  }
}
