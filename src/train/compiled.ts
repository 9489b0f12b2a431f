/**
 * What was compiled for a key before, or is now. If compiling fails, for example for lack of memory, the next call tries again.
 */
export function compiledOnce<Key, Compiled>(
  known: Map<Key, Promise<Compiled>>,
  key: Key,
  compile: () => Promise<Compiled>,
): Promise<Compiled> {
  const before = known.get(key);
  if (before) return before;
  const compiling = compile();
  known.set(key, compiling);
  compiling.catch(() => known.delete(key));
  return compiling;
}
