/** Scrolls to an element, which may be below the window. */
export function show(id: string): void {
  document.getElementById(id)?.scrollIntoView({ block: "center" });
}
