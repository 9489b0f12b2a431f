import { decode } from "fast-png";
import { expect, test } from "vitest";
import type { ReportFacts } from "../../../src/cli/report/facts.ts";
import { grayImage, signedImage } from "../../../src/cli/report/images.ts";
import { html } from "../../../src/cli/report/markup.ts";
import { reportHtml } from "../../../src/cli/report/html.ts";

const EVIL = `<script>alert("x")</script>&'`;

const facts: ReportFacts = {
  title: EVIL,
  results: [[EVIL, EVIL]],
  options: [
    ["seed", "7"],
    ["data", EVIL],
  ],
  curves: [
    {
      name: EVIL,
      points: [
        { step: 1, loss: 2, accuracy: 0.5 },
        { step: 2, loss: 0, accuracy: 1 },
        { step: 3, loss: NaN, accuracy: 1 },
      ],
    },
  ],
  samples: [{ step: 1200, text: `${EVIL}\n  two lines` }],
  examined: EVIL,
  classes: {
    classes: ["cat", EVIL, "owl"],
    confusion: [
      [5, 2, 0],
      [1, 1200, 0],
      [0, 3, 0],
    ],
    mistakes: 6,
    worst: [
      {
        example: 4,
        label: "owl",
        prediction: EVIL,
        probabilities: [0.987, 0.012],
        image: { source: grayImage([0, 255], 2, 0, 255), width: 2, height: 1, caption: EVIL },
      },
    ],
  },
  outputs: [{ name: EVIL, metrics: { r2: 0.91, rmse: 1.5, mae: NaN }, points: [[1, 2]] }],
  weights: {
    images: [{ source: signedImage([1, -1, 0], 3, 1), width: 3, height: 1, caption: EVIL }],
    units: 9,
    largest: 0.12345,
  },
  gradientNorms: [
    {
      name: "layer 0",
      points: [
        [0, 1],
        [3, 0.1],
      ],
    },
  ],
  dispatches: [
    { kernel: `matmul ${EVIL}`, shapes: "[2, 3] [3, 4] → [2, 4]", grid: [2, 1, 1], flops: 48_000, bytes: 104_000 },
    { kernel: "add", shapes: "[4]", grid: [1, 1, 1], flops: 4000, bytes: 48 },
  ],
  nanoseconds: [12_340, 660],
};

/** The texts of a table's cells, row by row. */
const cells = (page: string, table: string) =>
  [
    ...page
      .slice(page.indexOf(`<table class="${table}">`))
      .split("</table>")[0]!
      .matchAll(/<tr>(.*?)<\/tr>/gs),
  ].map(([, row]) => [...row!.matchAll(/<t[dh][^>]*>(.*?)<\/t[dh]>/gs)].map(([, text]) => text));

test("the page is complete, loads nothing from the network and runs no script", () => {
  const page = reportHtml(facts);
  expect(page).toMatch(/^<!doctype html>\n<html lang="en">[^]*<\/html>\n$/);
  const addresses = page
    .replaceAll('xmlns="http://www.w3.org/2000/svg"', "")
    .match(/\b(?:https?:|ftp:|\/\/[a-z]|url\((?!#))[^\s"']*/g);
  expect(addresses).toBeNull();
  for (const [, source] of page.matchAll(/(?:src|href)="([^"]*)"/g))
    expect(source).toMatch(/^data:image\/png;base64,[A-Za-z0-9+/=]+$/);
  expect(page).not.toMatch(/<script|<link|<iframe|@import| on\w+=|NaN|undefined|\[object/);
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("text is escaped everywhere", () => {
  const page = reportHtml(facts);
  expect(page).not.toContain("<script>");
  expect(page).not.toContain(`alert("x")`);
  // Title, heading, results, option, legend of two charts, examined twice, class, mistake, image, output, weights, kernel.
  expect(page.match(/&lt;script&gt;alert\(/g)!.length).toBeGreaterThanOrEqual(14);
  expect(html`<p title="${`"'<&>`}">${["a", html`<b>${"<"}</b>`, 3]}</p>`.text).toBe(
    '<p title="&quot;&#39;&lt;&amp;&gt;">a<b>&lt;</b>3</p>',
  );
});

test("the confusion matrix has true classes as rows, with recall and precision in the margins", () => {
  const [, names, cat, evil, owl, precision] = cells(reportHtml(facts), "confusion");
  expect(names!.at(-1)).toBe("recall");
  expect(cat).toEqual(["cat", "5", "2", "", "71.4 %"]);
  expect(evil!.slice(1)).toEqual(["1", "1,200", "", "99.9 %"]);
  expect(owl).toEqual(["owl", "", "3", "0", "0.0 %"]);
  // 5 of 6, 1200 of 1205, none of none.
  expect(precision).toEqual(["precision", "83.3 %", "99.6 %", "–", ""]);
});

test("with many classes, the most frequent confusions are listed", () => {
  const classes = Array.from({ length: 30 }, (_, index) => `c${index}`);
  const confusion = classes.map((_, label) =>
    classes.map((__, prediction) => (label === prediction ? 9 : Number(label === 3 && prediction === 28) * 4)),
  );
  const page = reportHtml({ ...facts, classes: { classes, confusion, mistakes: 4, worst: [] } });
  expect(page).toContain(`<td>c3</td><td>c28</td><td class="number">4</td>`);
  expect(page).not.toContain(`class="confusion"`);
});

test("dispatches are listed with their times, or with the reason why there are no times", () => {
  const rows = cells(reportHtml(facts), "dispatches");
  expect(rows[0]).toEqual(["kernel", "shapes", "grid", "FLOPs", "bytes", "µs"]);
  expect(rows[1]!.slice(1)).toEqual(["[2, 3] [3, 4] → [2, 4]", "2×1×1", "48.0 k", "104 k", "12.3"]);
  expect(rows.at(-1)).toEqual(["2 dispatches", "52.0 k", "104 k", "13.0"]);
  const without = reportHtml({ ...facts, nanoseconds: "no <timestamps>" });
  expect(without).toContain("No times: no &lt;timestamps&gt;.");
  expect(cells(without, "dispatches")[0]).not.toContain("µs");
  expect(reportHtml({ ...facts, dispatches: [] })).toContain("this backend has no dispatches");
});

test("there is no loss chart without measurements", () => {
  expect(reportHtml(facts)).toContain("<figcaption>Loss: ");
  expect(reportHtml({ ...facts, curves: [] })).not.toContain("<figcaption>Loss: ");
});

const pixels = (uri: string) => decode(Buffer.from(uri.split(",")[1]!, "base64"));

test("images show values from black to white, and signed values from blue to orange", () => {
  expect(pixels(grayImage([0, 1, 2, 4], 2, 0, 4))).toMatchObject({
    width: 2,
    height: 2,
    channels: 1,
    data: Uint8Array.of(0, 64, 128, 255),
  });
  const signed = pixels(signedImage([0.5, -0.5, 0, 0.25], 4, 0.5));
  expect(signed).toMatchObject({ width: 4, height: 1, channels: 3 });
  expect([...signed.data]).toEqual([213, 94, 0, 0, 114, 178, 255, 255, 255, 234, 175, 128]);
  expect([...pixels(signedImage([0, 0], 2, 0)).data]).toEqual([255, 255, 255, 255, 255, 255]);
});
