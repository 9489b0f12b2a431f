/*
 * Invalid calls of sessions and executables: every backend refuses them with the same messages, and a refused call
 * changes neither the session nor other sessions of the backend.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { WgradError } from "../../src/errors.ts";
import { parameter, state } from "../../src/graph/leaves.ts";
import { backends } from "../backends.ts";
import { errorOf, prepared, requireUnharmed, type Prepared } from "./prepared-sessions.ts";

/** Values that only JavaScript code can pass. */
const wrong = (value: unknown) => value as never;

const STORED = "Give a parameter, a state or an input; make other values outputs of a graph.";
const WHOLE = "Give a whole number of at least 0.";
const TENSOR = "Give a tensor that input, parameter or an op returned.";
const ROWS = "Write uint8 tensors in whole rows: all elements of an entry of the first axis.";
const INDICES = "Correct the indices or labels, or the size of the indexed axis.";
const PER_ELEMENT = "Give one value per element, or the index of the first element to write.";
const GRAPH = "Give a graph that defineGraph returned.";

const refused: readonly (readonly [name: string, act: (on: Prepared) => unknown, message: string])[] = [
  [
    "a write of too many values",
    ({ session, bias }) => session.write(bias, new Float32Array(5)),
    `write bias float32[4]: 5 values for 4 elements. ${PER_ELEMENT}`,
  ],
  [
    "a write of too few",
    ({ session, bias }) => session.write(bias, new Float32Array(1)),
    `write bias float32[4]: 1 value for 4 elements. ${PER_ELEMENT}`,
  ],
  [
    "a part that exceeds the size",
    ({ session, bias }) => session.write(bias, new Float32Array(3), 2),
    "write bias float32[4]: 3 values from element 2 on exceed the size 4. Give fewer values, or a smaller first element.",
  ],
  [
    "a part from a fractional element",
    ({ session, bias }) => session.write(bias, new Float32Array(1), 1.5),
    `write bias float32[4]: the first element is 1.5. ${WHOLE}`,
  ],
  [
    "a part from a negative element",
    ({ session, bias }) => session.write(bias, new Float32Array(1), -1),
    `write bias float32[4]: the first element is -1. ${WHOLE}`,
  ],
  [
    "a part from element NaN",
    ({ session, bias }) => session.write(bias, new Float32Array(1), NaN),
    `write bias float32[4]: the first element is NaN. ${WHOLE}`,
  ],
  [
    "a part of a row of bytes",
    ({ session, images }) => session.write(images, new Uint8Array(4), 3),
    `write images uint8[6, 3]: 4 values from element 3 on are not whole rows of 3. ${ROWS}`,
  ],
  [
    "bytes from within a row",
    ({ session, images }) => session.write(images, new Uint8Array(3), 1),
    `write images uint8[6, 3]: 3 values from element 1 on are not whole rows of 3. ${ROWS}`,
  ],
  [
    "floats for integers",
    ({ session, labels }) => session.write(labels, new Float32Array(6)),
    "write labels uint32[6]: the values are of type Float32Array. Give a Uint32Array or a Uint8Array.",
  ],
  [
    "floats for bytes",
    ({ session, images }) => session.write(images, new Float32Array(18)),
    "write images uint8[6, 3]: the values are of type Float32Array. Give a Uint8Array.",
  ],
  [
    "an array of numbers",
    ({ session, bias }) => session.write(bias, wrong([1, 2, 3, 4])),
    "write bias float32[4]: the values are of type Array. Give a Float32Array or a Float64Array or a Uint32Array or a Uint8Array.",
  ],
  [
    "no values",
    ({ session, bias }) => session.write(bias, wrong(null)),
    "write bias float32[4]: the values are null. Give a Float32Array or a Float64Array or a Uint32Array or a Uint8Array.",
  ],
  [
    "a label outside the classes",
    ({ session, labels }) => session.write(labels, Uint32Array.of(0, 1, 2, 3, 4, 0)),
    `write labels uint32[6]: element 4 is 4, but softmaxCrossEntropy needs whole numbers in 0 … 3. ${INDICES}`,
  ],
  [
    "a label outside the classes, in a part",
    ({ session, labels }) => session.write(labels, Uint8Array.of(1, 200), 2),
    `write labels uint32[6]: element 3 is 200, but softmaxCrossEntropy needs whole numbers in 0 … 3. ${INDICES}`,
  ],
  [
    "an order outside the examples",
    ({ session, order }) => session.write(order, Uint32Array.of(0, 1, 2, 3, 4, 6)),
    `write order uint32[6]: element 5 is 6, but takeBatch needs whole numbers in 0 … 5. ${INDICES}`,
  ],
  [
    "a write of a computed value",
    ({ session, logits }) => session.write(logits, new Float32Array(8)),
    `write: add float32[2, 4] is not stored between steps. ${STORED}`,
  ],
  [
    "a write of an unknown leaf",
    ({ session }) => session.write(parameter("other", [1]), new Float32Array(1)),
    "write other float32[1]: this session does not have it. Compile a graph that uses it first.",
  ],
  [
    "a write without a tensor",
    ({ session }) => session.write(wrong(undefined), new Float32Array(1)),
    `write: undefined is not a tensor. ${TENSOR}`,
  ],
  [
    "a read of an unknown leaf",
    ({ session }) => session.read(state("other", [1])),
    "read other float32[1]: this session does not have it. Compile a graph that uses it first.",
  ],
  [
    "a read of a computed value",
    ({ session, logits }) => session.read(logits),
    `read: add float32[2, 4] is not stored between steps. ${STORED}`,
  ],
  ["a read without a tensor", ({ session }) => session.read(wrong(null)), `read: null is not a tensor. ${TENSOR}`],
  ["compiling null", ({ session }) => session.compile(wrong(null)), `compile: null is not a graph. ${GRAPH}`],
  [
    "compiling an object",
    ({ session, graph }) => session.compile({ ...graph }),
    `compile: an object with the keys outputs, updates, nodes is not a graph. ${GRAPH}`,
  ],
  ["compiling a string", ({ session }) => session.compile(wrong("loss")), `compile: loss is not a graph. ${GRAPH}`],
  [
    "a fractional number of steps",
    ({ executable }) => executable.run(0, 1.5),
    `run: the number of steps is 1.5. ${WHOLE}`,
  ],
  ["a negative first step", ({ executable }) => executable.run(-1, 1), `run: the first step is -1. ${WHOLE}`],
  [
    "no number of steps",
    ({ executable }) => executable.run(0, wrong(undefined)),
    `run: the number of steps is undefined. ${WHOLE}`,
  ],
  [
    "an infinite number of steps",
    ({ executable }) => executable.run(0, Infinity),
    `run: the number of steps is Infinity. ${WHOLE}`,
  ],
  [
    "a step whose batch exceeds the examples",
    ({ executable }) => executable.run(1, 3),
    "run: start is 6 at step 3, but takeBatch needs whole numbers in 0 … 4. Correct the function of the step, or run fewer steps.",
  ],
  [
    "an unknown output",
    ({ executable }) => executable.read("accuracy"),
    'read: there is no output "accuracy". Read an output with several elements: logits.',
  ],
  [
    "an output that is a property of Object",
    ({ executable }) => executable.read("toString"),
    'read: there is no output "toString". Read an output with several elements: logits.',
  ],
  [
    "a scalar output",
    ({ executable }) => executable.read("loss"),
    'read: the output "loss" is a scalar. Use the result of run.',
  ],
  [
    "a null output",
    ({ executable }) => executable.read(wrong(null)),
    'read: there is no output "null". Read an output with several elements: logits.',
  ],
];

describe.each(backends)("a session on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("refuses invalid calls with clear messages, and is not affected by them", async () => {
    const on = await prepared(backend);
    for (const [name, act, message] of refused) {
      const error = await errorOf(() => act(on));
      expect(error, name).toBeInstanceOf(WgradError);
      expect((error as Error).message, name).toBe(message);
    }
    await requireUnharmed(on);
  });
});
