import type * as Comlink from "comlink";
import type { PlaygroundApi } from "./contract.ts";

export function Playground(_props: { api: Comlink.Remote<PlaygroundApi> }) {
  return <p class="card">To come.</p>;
}
