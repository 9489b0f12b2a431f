/**
 * Scrolls to an element, which may be outside the window. The card of a lesson stays in view above it.
 * @param selector a CSS selector of the element
 */
export function show(selector: string): void {
  const element = document.querySelector<HTMLElement>(selector);
  const card = document.querySelector<HTMLElement>(".lesson");
  if (!element) return;
  const cardHeight = card && getComputedStyle(card).position === "sticky" ? card.offsetHeight : 0;
  element.style.scrollMarginTop = `${cardHeight + 8}px`;
  element.scrollIntoView();
}
