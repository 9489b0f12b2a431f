/*
 * The top of the Digits tab: what the page does, a digit, and what the network makes of it.
 */
import { percent } from "../../shared/format.ts";
import { ours, prepared, test } from "../state/index.ts";
import { Bars } from "./bars.tsx";
import { Toolbar } from "./controls.tsx";
import { Details } from "./details.tsx";
import { Diagram } from "./diagram/index.tsx";
import { UnitCard } from "./diagram/unit-card.tsx";
import { Messages } from "./messages.tsx";
import { DrawPad } from "./pad.tsx";

export function Hero() {
  return (
    <section class="card hero" aria-label="The network">
      <h2 class="lead">
        This page teaches a neural network to read handwritten digits: draw one, and see what it computes.
      </h2>
      <Accuracy />
      <Toolbar />
      <Messages />
      <DrawPad />
      <Diagram />
      <Bars />
      <UnitCard />
      <Details />
    </section>
  );
}

/** The one large number. */
function Accuracy() {
  const now = test.value;
  const count = now?.count ?? prepared.value?.testExamples;
  return (
    <p class="accuracy">
      <span class="accuracy-value" data-testid="test-accuracy">
        {now ? percent(now.accuracy) : "–"}
      </span>
      <span class="quiet">
        Test accuracy
        <br />
        {count === undefined ? "on new digits" : `on ${count.toLocaleString("en")} new digits`}
        <br />
        <span data-testid="our-accuracy">{ours.value}</span>
      </span>
    </p>
  );
}
