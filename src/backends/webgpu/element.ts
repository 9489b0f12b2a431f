/*
 * Writes the WGSL of one element, as calls of functions defined in shaders/.
 */
import { type ConstantAttributes } from "../../graph/leaves.ts";
import { sizeOf, stridesOf, type Shape, type Tensor } from "../../graph/tensor.ts";
import type { InputValue, NumberWriter, Place } from "../../ops/kernel.ts";
import { floatLiteral, integerLiteral } from "../../ops/webgpu/wgsl.ts";
import { rootOf } from "../../graph/views.ts";
import { isLiteral, isStepScalar } from "../../compiler/nodes.ts";
import { pointwiseKernel } from "./kernels.ts";

/** A component of a vec4. */
export type Lane = "x" | "y" | "z" | "w";

/** The parts of the surrounding kernel that the code of an element uses. */
export interface ElementScope {
  /**
   * The WGSL that reads an element of a tensor from memory.
   * @param lane the component of a vec4, if a thread computes four elements
   */
  load(tensor: Tensor, index: string, lane: Lane | undefined): string;
  /** The WGSL that reads a vec4 of adjacent elements from memory, from a multiple of 4. */
  loadVec4(tensor: Tensor, index: string): string;
  /** The WGSL of a per-step scalar. */
  scalar(tensor: Tensor): string;
  /** The WGSL of a 0 read from a uniform. */
  zero(): string;
  /** The WGSL of an integer that the kernel reads from memory; see `NumberWriter`. */
  argument(value: number): string;
  /** Registers WGSL source that the code calls. */
  useLibrary(text: string): void;
  /** The nodes computed where they are read. */
  readonly inlined: ReadonlySet<Tensor>;
}

/** The body of one generated function: its `let` lines, and the names of the values computed so far. */
export class ElementCode {
  readonly lines: string[] = [];
  readonly #scope: ElementScope;
  readonly #lane: Lane | undefined;
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<Tensor, number>();
  /** The names of indices, by their WGSL. */
  readonly #indices = new Map<string, string>();
  readonly #numbers: NumberWriter = {
    float: (value) => this.#float(value),
    argument: (value) => this.#scope.argument(value),
  };

  /** @param lane the component of a vec4, if a thread computes four elements */
  constructor(scope: ElementScope, lane?: Lane) {
    this.#scope = scope;
    this.#lane = lane;
  }

  /** Defines the value of a tensor at a place as an existing WGSL expression. */
  bind(tensor: Tensor, { index }: Place, expression: string): void {
    this.#names.set(this.#key(tensor, index), expression);
  }

  /** The value of a tensor at a place in its own shape. It is computed or read if it is not known yet. */
  value(tensor: Tensor, place: Place): string {
    const root = rootOf(tensor);
    const key = this.#key(root, place.index);
    const known = this.#names.get(key);
    if (known) return known;
    if (isLiteral(root)) return this.#literal(root);
    if (isStepScalar(root)) return this.#scope.scalar(root);
    const here = root.shape.at(-1) === tensor.shape.at(-1) ? place : placeAt(place.index, root.shape);
    const computed = this.#scope.inlined.has(root)
      ? this.#expression(root, here)
      : this.#scope.load(root, place.index, this.#lane);
    return this.#let(key, computed);
  }

  /**
   * The vec4 of a tensor at a place, a multiple of 4 along the last axis, and the three after it. Undefined if they are not
   * adjacent in memory, directly or through inlined nodes.
   */
  vec4(tensor: Tensor, place: Place): string | undefined {
    const root = rootOf(tensor);
    if (isLiteral(root) || isStepScalar(root)) return undefined;
    const here = root.shape.at(-1) === tensor.shape.at(-1) ? place : placeAt(place.index, root.shape);
    if (!this.#scope.inlined.has(root))
      return this.#let(`vec4 ${this.#key(root, place.index)}`, this.#scope.loadVec4(root, place.index));
    const kernel = pointwiseKernel(root)!;
    const expression = kernel.vec4?.(root, this.#inputsOf(root, here), here, this.#numbers);
    if (expression === undefined) return undefined;
    this.#useLibraries(root);
    return this.#let(`vec4 ${this.#key(root, place.index)}`, expression);
  }

  /** Computes a pointwise node at a place and caches the value. */
  compute(node: Tensor, place: Place): string {
    return this.#let(this.#key(node, place.index), this.#expression(node, place));
  }

  #expression(node: Tensor, place: Place): string {
    this.#useLibraries(node);
    return pointwiseKernel(node)!.expression(node, this.#inputsOf(node, place), place, this.#numbers);
  }

  #useLibraries(node: Tensor): void {
    const kernel = pointwiseKernel(node)!;
    for (const text of [kernel.library, kernel.ownLibrary?.(node)]) if (text) this.#scope.useLibrary(text);
  }

  #inputsOf(node: Tensor, place: Place): InputValue[] {
    return node.inputs.map((tensor) => ({
      here: () => this.value(tensor, broadcastPlace(place, node.shape, tensor.shape)),
      at: (index) => this.value(tensor, placeAt(this.#index(index), tensor.shape)),
      vec4At: (index) => this.vec4(tensor, placeAt(this.#index(index), tensor.shape)),
    }));
  }

  /**
   * A name for an index. The index of an input may contain it several times: without a name, a chain of moved elements
   * grows exponentially, and SwiftShader did not compile the gradient of the three parts of attention within minutes.
   */
  #index(expression: string): string {
    const known = this.#indices.get(expression);
    if (known) return known;
    const name = `index_${this.#indices.size}`;
    this.lines.push(`let ${name} = ${expression};`);
    this.#indices.set(expression, name);
    return name;
  }

  #literal(tensor: Tensor): string {
    const [value] = (tensor.attributes as ConstantAttributes).values;
    return tensor.dtype === "float32" ? this.#float(value!) : integerLiteral(value!);
  }

  /** A driver may replace x · 0 by 0, which would hide NaN or infinity in x. It must not know that a factor is 0. */
  #float(value: number): string {
    return Math.fround(value) === 0 ? this.#scope.zero() : floatLiteral(value);
  }

  #let(key: string, expression: string): string {
    const name = `value_${this.#names.size}`;
    this.lines.push(`let ${name} = ${expression};`);
    this.#names.set(key, name);
    return name;
  }

  #key(tensor: Tensor, index: string): string {
    let id = this.#ids.get(tensor);
    if (id === undefined) this.#ids.set(tensor, (id = this.#ids.size));
    return `${id} ${index}`;
  }
}

/** The place of a flat element in a shape. */
export function placeAt(index: string, shape: Shape): Place {
  const columns = integerLiteral(shape.at(-1) ?? 1);
  return { index, row: `${index} / ${columns}`, column: `${index} % ${columns}` };
}

/** The place in an input's shape that broadcasts to a place in the output's shape. */
export function broadcastPlace(place: Place, output: Shape, input: Shape): Place {
  const size = sizeOf(input);
  if (size === sizeOf(output)) return input.at(-1) === output.at(-1) ? place : placeAt(place.index, input);
  if (size === 1) return placeAt("0u", input);
  const columns = output.at(-1) ?? 1;
  // A row vector and a column vector, the usual cases, need no division.
  if (size === columns && input.at(-1) === columns) return placeAt(`(${place.column})`, input);
  if (input.at(-1) === 1 && size * columns === sizeOf(output)) return placeAt(`(${place.row})`, input);
  const strides = stridesOf(output);
  const own = stridesOf(input);
  const missing = output.length - input.length;
  const terms = input.flatMap((axisSize, axis) =>
    axisSize === 1
      ? []
      : [
          `${place.index} / ${integerLiteral(strides[axis + missing]!)} % ${integerLiteral(axisSize)} * ${integerLiteral(own[axis]!)}`,
        ],
  );
  return placeAt(`(${terms.join(" + ")})`, input);
}
