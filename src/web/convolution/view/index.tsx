/*
 * The Convolution tab.
 */
import "../../digits/view/digits.css";
import "./convolution.css";
import "./flow.css";
import "./numbers.css";
import type * as Comlink from "comlink";
import { useEffect } from "preact/hooks";
import type { WorkerApi } from "../../contract.ts";
import { connect } from "../state/index.ts";
import { Detail } from "./detail.tsx";
import { FilterHistoryCard } from "./filters.tsx";
import { Flow } from "./flow.tsx";
import { Input } from "./input.tsx";
import { Settings } from "./settings.tsx";
import { Shifts } from "./shifts.tsx";
import { Toolbar } from "./toolbar.tsx";

/** The Convolution tab. It trains while it is visible. */
export function Convolution({ worker }: { worker: Comlink.Remote<WorkerApi> }) {
  useEffect(() => connect(worker.openConvolution()), [worker]);
  return (
    <div class="convolution">
      <Toolbar />
      <Input />
      <Flow />
      <Detail />
      <FilterHistoryCard />
      <Shifts />
      <Settings />
    </div>
  );
}
