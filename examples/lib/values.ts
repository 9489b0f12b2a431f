import { defineGraph, type Backend, type Tensor } from "../../src/index.ts";

/** Computes tensors once. A scalar is returned as a list of one number. */
export async function valuesOf<Name extends string>(
  backend: Backend,
  outputs: Readonly<Record<Name, Tensor>>,
): Promise<Record<Name, number[]>> {
  const session = backend.createSession();
  try {
    const executable = await session.compile(defineGraph(outputs));
    const scalars = await executable.run(0, 1);
    const read = Object.entries<Tensor>(outputs).map(async ([name, { size }]) => {
      return [name, [...(size === 1 ? scalars[name]! : await executable.read(name))]] as const;
    });
    return Object.fromEntries(await Promise.all(read)) as Record<Name, number[]>;
  } finally {
    session.dispose();
  }
}
