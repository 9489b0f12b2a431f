/**
 * Whether a search finds a node.
 * @param starts where the search begins
 * @param next the nodes to which a node leads
 */
export function isReachable<Node>(
  wanted: Node,
  starts: readonly Node[],
  next: (node: Node) => readonly Node[],
): boolean {
  const seen = new Set<Node>();
  const stack = [...starts];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node === wanted) return true;
    if (seen.has(node)) continue;
    seen.add(node);
    stack.push(...next(node));
  }
  return false;
}
