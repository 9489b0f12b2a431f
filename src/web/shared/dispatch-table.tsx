import type { DispatchDescription } from "../../index.ts";
import { scaled } from "./format.ts";

/** The dispatches of a step. With the time of each, in nanoseconds, the bars show its share of the time, and otherwise of the FLOP. */
export function DispatchTable(props: {
  dispatches: readonly DispatchDescription[];
  times?: readonly number[] | undefined;
  /** The network, if there may be several tables. */
  network?: string;
  testId: string;
}) {
  const { dispatches, times, network, testId } = props;
  const label = network === undefined ? "Dispatches of a step" : `Dispatches of a step: ${network}`;
  const timesTotal = times?.reduce((sum, time) => sum + time, 0) ?? 0;
  const flops = dispatches.reduce((sum, dispatch) => sum + dispatch.flops, 0);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="dispatches" data-testid={testId}>
        <thead>
          <tr>
            <th>Kernel</th>
            <th>Shapes</th>
            <th class="number">FLOP</th>
            <th class="number">Bytes</th>
            {times && <th class="number">µs</th>}
            <th>{times ? "Share of time" : "Share of FLOP"}</th>
          </tr>
        </thead>
        <tbody>
          {dispatches.map((dispatch, place) => {
            const share = times ? times[place]! / (timesTotal || 1) : dispatch.flops / (flops || 1);
            return (
              <tr key={place}>
                <td>{dispatch.kernel}</td>
                <td class="shapes">{dispatch.shapes}</td>
                <td class="number">{scaled(dispatch.flops)}</td>
                <td class="number">{scaled(dispatch.bytes)}</td>
                {times && <td class="number">{Math.round(times[place]! / 1000)}</td>}
                <td class="bar-cell">
                  <span class="bar">
                    <span style={{ width: `${100 * share}%` }} />
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
