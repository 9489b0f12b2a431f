import { evenPercent } from "../../shared/format.ts";
import { pageFault } from "../../link.ts";
import { fault, prediction, prepared } from "../state/index.ts";

const digits = Array.from({ length: 10 }, (_, digit) => digit);

function withoutAnswer(): string {
  if (prepared.value) return "Draw a digit: the network answers at once.";
  return fault.value || pageFault.value ? "No network is ready." : "Preparing the network …";
}

/** The network's answer: the probability of each digit. */
export function Bars() {
  const shares = prediction.value?.probabilities;
  const best = shares ? shares.indexOf(Math.max(...shares)) : undefined;
  return (
    <div class="answer">
      <p class="prediction">
        {best === undefined ? (
          <span class="quiet">{withoutAnswer()}</span>
        ) : (
          <>
            Prediction:{" "}
            <output class="said" data-testid="prediction">
              {best}
            </output>{" "}
            <span class="quiet">{evenPercent(shares![best]!, 1)}</span>
          </>
        )}
      </p>
      <ol class="bars" start={0} aria-label="Probability of each digit" data-testid="probabilities">
        {digits.map((digit) => (
          <li key={digit} class={digit === best ? "best" : ""}>
            <span class="name">{digit}</span>
            <span class="bar">
              <span style={{ width: `${100 * (shares?.[digit] ?? 0)}%` }} />
            </span>
            <span class="value">{evenPercent(shares?.[digit] ?? NaN, 1)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
