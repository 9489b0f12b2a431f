import type { Tensor } from "../../../graph/tensor.ts";
import type { Vector } from "../../../ops/wasm/vectors.ts";
import { Body, declarations, END, SCRATCH, START, type Level } from "./body.ts";
import { code, flatten, I32, V128, type Code, type FlatCode } from "./code.ts";
import { IntegerCode, scaled } from "./integer-code.ts";
import { Rows } from "./rows.ts";
import { commonCondition, sideOf } from "./conditions.ts";
import { VectorCode } from "./vector-code.ts";

/** A value to store for each element, and its destination: a tensor or scratch memory. */
export interface Store {
  readonly value: Vector;
  readonly to: Tensor | "scratch";
}

/** A function over the elements of a chain. */
export interface WrittenFunction {
  /** The tensors whose addresses are arguments. */
  readonly tensors: readonly Tensor[];
  /** The local variables and the instructions. */
  readonly code: FlatCode;
  /** The estimated time per element: the bytes of code that run for it. */
  readonly cost: number;
}

/**
 * Writes a function that runs over the elements of a chain row by row, four elements at a time. The last elements of a
 * row are also computed as a vector but stored one by one, so that the bits do not depend on where a range starts and
 * ends.
 * @param size number of elements of the chain
 * @param columns number of elements per row
 */
export function writeFunction(stores: readonly Store[], size: number, columns: number): WrittenFunction {
  const locals: Locals = { types: [], tensors: [] };
  const { loop, cost } = writeSwitched(stores, size, columns, locals);
  return { tensors: locals.tensors, code: flatten([declarations(locals.types), loop, code.end]), cost };
}

/** The local variables of a function and the tensors of its arguments, which its parts share. */
interface Locals {
  readonly types: number[];
  readonly tensors: Tensor[];
}

interface WrittenLoop {
  readonly loop: Code;
  readonly cost: number;
}

/**
 * Two loops if one condition decides for all elements which of two values is stored, as in a guarded update: selecting
 * per element costs Adam's loop half of its time again (85 against 139 µs for 102,000 parameters).
 */
function writeSwitched(stores: readonly Store[], size: number, columns: number, locals: Locals): WrittenLoop {
  const condition = commonCondition(stores.map(({ value }) => value));
  if (!condition) return writeLoop(stores, size, columns, locals);
  const { body, vectors } = partOf([condition], columns, locals);
  const isSet = [vectors.push(condition, 0), code.anyTrue];
  const [first, second] = [0, 1].map((side) =>
    writeLoop(
      stores.map(({ value, to }) => ({ value: sideOf(value, side), to })),
      size,
      columns,
      locals,
    ),
  ) as [WrittenLoop, WrittenLoop];
  return {
    loop: [body.levels[0], isSet, code.if, first.loop, code.else, second.loop, code.end],
    cost: Math.max(first.cost, second.cost),
  };
}

function partOf(roots: readonly Vector[], columns: number, { types, tensors }: Locals) {
  const body = new Body(types);
  const rows = new Rows(columns);
  const integers = new IntegerCode(body, rows, tensors, (vector) => vectors.push(vector, 2));
  const vectors: VectorCode = new VectorCode(body, rows, integers, roots);
  return { body, integers, vectors };
}

function writeLoop(stores: readonly Store[], size: number, columns: number, locals: Locals): WrittenLoop {
  const { body, integers, vectors } = partOf(
    stores.map(({ value }) => value),
    columns,
    locals,
  );
  writeElements(stores, body, integers, vectors);
  const vectorsOfRow = Math.ceil(columns / 4);
  const length = (level: Level) => flatten(body.levels[level]).length;
  return {
    loop: columns < size ? severalRows(body, columns) : oneRow(body),
    cost: (vectorsOfRow * (length(2) + vectors.callCost) + length(1)) / columns,
  };
}

/** Computes all values for four elements before it stores any, since an output may share memory with an input. */
function writeElements(stores: readonly Store[], body: Body, integers: IntegerCode, vectors: VectorCode): void {
  const results = stores.map(({ value, to }) => {
    const computed = vectors.push(value, 2);
    const local = body.known(value) ?? body.local(V128);
    body.levels[2].push(computed, code.set(local));
    return { local, to };
  });
  const addressed = results.map(({ local, to }) => {
    const start = to === "scratch" ? scratchStart(body) : integers.address(to);
    return [start, integers.firstOffset(4), code.add, code.get(local)];
  });
  const whole = addressed.map((pushed) => [pushed, code.vectorStore]);
  const single = (lane: number) => addressed.map((pushed) => [pushed, code.vectorStoreLane(lane)]);
  const left = [code.get(body.rowEnd), code.get(body.element), code.subtract];
  const others = [1, 2].map((lane) => [
    left,
    code.integer(lane),
    code.greaterUnsigned,
    code.if,
    single(lane),
    code.end,
  ]);
  const isWhole = [left, code.integer(4), code.atLeastUnsigned];
  body.levels[2].push(isWhole, code.if, whole, code.else, single(0), others, code.end);
}

/** The address that element 0 would have in scratch memory, which begins with element `start`. */
function scratchStart(body: Body): Code {
  const start = () => [code.get(SCRATCH), scaled(code.get(START), 4), code.subtract];
  return code.get(body.keep("scratch", 0, I32, start));
}

/** Level 0, if there are elements to compute, and the index of the first element. */
function begin({ element, levels }: Body): Code {
  const isEmpty = [code.get(START), code.get(END), code.atLeastUnsigned];
  return [isEmpty, code.if, code.return, code.end, levels[0], code.get(START), code.set(element)];
}

/** Level 1, then level 2 for each four elements until the end of the row. */
function row({ element, rowEnd, levels }: Body): Code {
  const next = [code.get(element), code.integer(4), code.add, code.tee(element)];
  const isInside = [code.get(rowEnd), code.lessUnsigned];
  return [levels[1], code.loop, levels[2], next, isInside, code.branchIf(0), code.end];
}

function oneRow(body: Body): Code {
  return [begin(body), code.get(END), code.set(body.rowEnd), row(body)];
}

function severalRows(body: Body, columns: number): Code {
  const [element, rowEnd, end] = [body.element, body.rowEnd, END].map(code.get) as [number[], number[], number[]];
  const start = [element, element, code.integer(columns), code.remainder, code.subtract, code.tee(body.rowStart)];
  const endOfRow = [code.integer(columns), code.add, code.tee(body.rowEnd)];
  const smaller = [end, rowEnd, end, code.lessUnsigned, code.select, code.set(body.rowEnd)];
  const next = [rowEnd, code.tee(body.element), end, code.lessUnsigned, code.branchIf(0)];
  return [begin(body), code.loop, start, endOfRow, smaller, row(body), next, code.end];
}
