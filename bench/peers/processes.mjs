/*
 * Runs one measure of one runtime in a separate process, with its own Dawn, so that a crash ends only this measure.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "./measures/timing.mjs";
import { WrongResult, checkLosses } from "./measures/training.mjs";

const LONGEST_SECONDS = 300;

/** A warm start is short, so it is measured several times in each round. */
const STARTS = 3;

/** What this process sets for itself, and what would make Node parse a file of certificates whenever it starts (35 ms). */
const { NODE_EXTRA_CA_CERTS: _certificates, ...inherited } = process.env;

const script = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * @param {string} runtime
 * @param {string} measure
 * @param {{ folder: string, expectedFirst: number }} work
 * @returns {Promise<object>} the measure's numbers, or { wrong } or { failed } with the reason
 */
export async function runMeasure(runtime, measure, work) {
  try {
    if (measure === "start") return await medianStart(runtime, work);
    if (measure === "coldStart") return await start(runtime, work, { MESA_SHADER_CACHE_DISABLE: "true" });
    const { line } = await firstLine([script("child.mjs"), runtime, measure, work.folder], {});
    return JSON.parse(line);
  } catch (error) {
    return error instanceof WrongResult ? { wrong: error.message } : { failed: error.message };
  }
}

async function medianStart(runtime, work) {
  const seconds = [];
  for (let time = 0; time < STARTS; time++) seconds.push((await start(runtime, work, {})).seconds);
  return { seconds: median(seconds) };
}

/** Seconds from the start of the process until its first loss arrives here. */
async function start(runtime, { expectedFirst }, environment) {
  const { line, seconds } = await firstLine([script("start-child.mjs"), runtime], environment);
  checkLosses([Number(line)], [expectedFirst]);
  return { seconds };
}

/** The first line that a Node process prints, and when it arrived. @returns {Promise<{ line: string, seconds: number }>} */
function firstLine(parameters, environment) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, parameters, {
      env: { ...inherited, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: LONGEST_SECONDS * 1000,
    });
    let printed = "";
    let errors = "";
    let arrived = 0;
    child.stdout.on("data", (text) => {
      arrived ||= performance.now();
      printed += text;
    });
    child.stderr.on("data", (text) => (errors += text));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const end = printed.indexOf("\n");
      if (end >= 0) resolve({ line: printed.slice(0, end), seconds: (arrived - started) / 1000 });
      else reject(new Error(`the process ended by ${signal ?? `code ${code}`}: ${errorLine(errors)}`));
    });
  });
}

/** The line of an error, or the last line of what was printed. */
export function errorLine(text) {
  const lines = text.trim().split("\n");
  return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1)).trim();
}
