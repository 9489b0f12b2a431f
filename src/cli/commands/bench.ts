import { createRequire } from "node:module";
import { cpus } from "node:os";
import { Option, type Command } from "commander";
import { WgradError } from "../../errors.ts";
import { dawnGpu, fileTuningStore, nodeWasm, readFileOrRefuse, writeFileAtomically } from "../../node/index.ts";
import { benchClusterCommand } from "./bench-cluster.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { nameOption } from "../options/options.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { requireWritable } from "../options/writable.ts";
import { print, say } from "../text/terminal.ts";
import { counted, field } from "../text/text.ts";

interface BenchFlags {
  readonly device: (typeof benchDevices)[number];
  readonly filter: string;
  readonly json?: string;
  readonly compare?: string;
  readonly growth?: true;
  readonly quick?: true;
}

const benchDevices = ["webgpu", "wasm"] as const;

/** `wgrad bench`. */
export function benchCommand(command: Command): Command {
  // Both have options of the same names.
  benchClusterCommand(command.enablePositionalOptions().command("cluster"));
  return command
    .summary("Benchmarks training steps and kernels on this machine.")
    .description(
      "Benchmarks whole training steps and their kernels on this machine's adapter or CPU. Each result is first compared " +
        "with the CPU backend's. Wrong results are not timed, and the exit code is then 1.",
    )
    .addOption(nameOption("--device", "device", benchDevices, { preset: "webgpu" }))
    .addOption(
      new DeclaredOption(
        "--filter <text>",
        'run only the benchmarks whose name contains this text, such as "matmul" or "batch 64"',
      ).default("", "all"),
    )
    .addOption(
      new Option(
        "--growth",
        "also measure how the cost of a step grows with batch size, width and depth, and that of a GPT with context and width (takes a few minutes more)",
      ),
    )
    .addOption(new Option("--quick", "take fewer and shorter measurements, without the slow matrix products"))
    .addOption(
      new DeclaredOption("--json <file>", "write all results as JSON, such as BENCH.json").withFacts({
        file: "output",
      }),
    )
    .addOption(
      new DeclaredOption(
        "--compare <file>",
        "mark what is slower or faster than in this file of an earlier --json, by more than the spread of both",
      ).withFacts({ file: "input" }),
    )
    .addHelpText("after", "\nExample:\n  wgrad bench --json new.json --compare old.json")
    .action((flags: BenchFlags) => bench(flags, command));
}

async function bench(flags: BenchFlags, command: Command): Promise<void> {
  requireSeparatePaths(optionPaths(command.options, flags));
  // Imported here so that other commands start faster.
  const { comparison, readReport, reportJson, ReportLines, runBenchmark, wrongText } =
    await import("../../bench/index.ts");
  const before = flags.compare === undefined ? undefined : readReport(await textOf(flags.compare), flags.compare);
  if (flags.json !== undefined) await requireWritable(flags.json, "the report", "--json");
  const lines = new ReportLines();
  const isWasm = flags.device === "wasm";
  const report = await runBenchmark({
    source: isWasm ? nodeWasm() : await dawnGpu({ flags: ["disable-dawn-features=timestamp_quantization"] }),
    runtime: `Node ${process.version}${isWasm ? "" : `, Dawn${dawnVersion()}`}`,
    system: `${process.platform} ${process.arch}, ${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${counted(cpus().length, "core")}`,
    tuning: fileTuningStore(),
    filter: flags.filter,
    growth: flags.growth === true,
    quick: flags.quick === true,
    emit: (event) => print(lines.of(event)),
  });
  if (before) print(["", ...comparison(flags.compare!, before, report)]);
  if (flags.json !== undefined) {
    await writeFileAtomically(flags.json, new TextEncoder().encode(reportJson(report)));
    say(["", ...field("report", flags.json)]);
  }
  const wrong = wrongText(report);
  if (wrong !== undefined) {
    throw new WgradError({
      where: "bench",
      what: wrong,
      fix: "Run wgrad's tests on this adapter, and report their output",
    });
  }
}

/** The version of the npm package `webgpu`, which contains Dawn; "" if its package.json is not found. */
function dawnVersion(): string {
  try {
    const { version } = createRequire(import.meta.url)("webgpu/package.json") as { version: string };
    return ` (webgpu ${version})`;
  } catch {
    return "";
  }
}

const textOf = async (path: string) => new TextDecoder().decode(await readFileOrRefuse(path));
