/** The pixels of the screen in a CSS pixel of an element, which the view for a projector enlarges. */
export const pixelRatio = (element: Element & { readonly currentCSSZoom?: number }): number =>
  devicePixelRatio * (element.currentCSSZoom ?? 1);
