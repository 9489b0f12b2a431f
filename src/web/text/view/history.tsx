/*
 * What the network wrote at earlier steps, with the step in the margin.
 */
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Sample } from "../contract.ts";
import { correction, earlier, rowOf, samples } from "../state/index.ts";
import { characterOf, inText, lookOf } from "./characters.tsx";

export function History() {
  const { records } = samples.value;
  const list = useRef<HTMLOListElement>(null);
  // The newest sample stays in sight, unless the visitor has scrolled back.
  const follows = useRef(true);
  useLayoutEffect(() => {
    const element = list.current!;
    if (follows.current) element.scrollTop = element.scrollHeight;
  }, [records]);
  return (
    <section class="card text-history" aria-labelledby="text-history-title">
      <h2 id="text-history-title">What it wrote before</h2>
      <p class="quiet">
        Scroll back to the first step, where it writes at random. Choose a step to look into it.
        {records[0]?.answers && " Wrong answers are underlined in red."}
      </p>
      <ol
        ref={list}
        data-testid="text-history"
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) =>
          (follows.current = scrollTop + clientHeight > scrollHeight - 4)
        }
      >
        {records.map((sample) => (
          <Entry key={sample.step} sample={sample} isChosen={earlier.value === sample} />
        ))}
      </ol>
    </section>
  );
}

function Entry({ sample, isChosen }: { sample: Sample; isChosen: boolean }) {
  const text = useMemo(() => <Written sample={sample} />, [sample]);
  return (
    <li>
      <button
        type="button"
        class="plain"
        aria-pressed={isChosen}
        onClick={() => (earlier.value = isChosen ? undefined : sample)}
      >
        <span class="text-margin">
          <span class="hidden">Step </span>
          {sample.step}
        </span>
        {text}
      </button>
    </li>
  );
}

function Written({ sample }: { sample: Sample }) {
  return (
    <span class="text-written">
      {Array.from({ length: sample.rows }, (_, row) => (
        <span key={row} class={sample.answers && (correction(sample, row) ? "wrong" : "right")}>
          {Array.from(rowOf(sample, row), (token, place) => (
            <span key={place} {...lookOf(sample, row, place)}>
              {inText(characterOf(token))}
            </span>
          ))}
        </span>
      ))}
    </span>
  );
}
