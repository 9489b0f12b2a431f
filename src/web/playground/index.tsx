import type * as Comlink from "comlink";
import type { PlaygroundApi } from "./contract.ts";

/** What the page's keys do on this tab. */
export const playgroundCommands = { toggle() {}, step() {}, reset() {} };

export function Playground(_props: { api: Comlink.Remote<PlaygroundApi> }) {
  return <p class="card">To come.</p>;
}
