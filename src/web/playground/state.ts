import { signal } from "@preact/signals";

/** What the Playground shows, as plain JSON. */
export const playgroundState = signal<{ readonly dataset: string }>({ dataset: "circles" });

export function formatPlayground(): URLSearchParams {
  return new URLSearchParams({ ...playgroundState.value });
}

export function parsePlayground(params: URLSearchParams): void {
  playgroundState.value = { dataset: params.get("dataset") ?? "circles" };
}
