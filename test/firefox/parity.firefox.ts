/*
 * Firefox's WebGPU is wgpu, whose compiler naga checks and translates every shader. Each test here waits for the report of one
 * test that the page runs.
 */
import type { ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allCases } from "../ops/all-cases.ts";
import { serveSources } from "../web/sources.ts";
import { openFirefox, type Firefox } from "./firefox.ts";
import { networkNames } from "./networks.ts";
import { ReportServer } from "./reports.ts";

let reports: ReportServer;
let server: ViteDevServer;
let firefox: Firefox;

beforeAll(async () => {
  [reports, server] = await Promise.all([ReportServer.open(), serveSources("test/firefox/page.ts")]);
  firefox = openFirefox(`${server.resolvedUrls!.local[0]!}?port=${reports.port}`);
});

afterAll(async () => {
  await firefox?.close();
  await server?.close();
  reports?.close();
});

test.each([...allCases.map(({ name }) => name), ...networkNames])("%s", async (name) => {
  const report = await reports.of(name);
  if ("failure" in report) throw new Error(report.failure);
  expect(Object.keys(report.errors)).not.toHaveLength(0);
  for (const error of Object.values(report.errors)) expect(error).toBeLessThanOrEqual(1);
});
