import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { characterTokenizer } from "../../../src/data/text/characters.ts";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import { loadGpt2 } from "../../../src/formats/gpt2.ts";
import { initialValues } from "../../../src/formats/model.ts";
import { readSafetensors } from "../../../src/formats/safetensors.ts";
import { dense, sequential } from "../../../src/nn/index.ts";
import { loadModelFile, saveModelFile } from "../../../src/node/index.ts";
import { Random } from "../../../src/random.ts";
import { createTextGenerator } from "../../../src/train/index.ts";
import { actingWhen, commandLine, expectRefusal, HAS_CHECKPOINT, signaled, type Finished } from "../built-cli.ts";

const cli = commandLine();
const { inFolder } = cli;
const wgrad = (line: string): Promise<Finished> => cli.run(line.split(" "));

function sentences(count: number): string {
  const random = new Random(1);
  const pick = (words: string) => words.split(" ")[random.below(words.split(" ").length)]!;
  const sentence = () =>
    `the ${pick("old young")} ${pick("cat dog fox")} ${pick("sees hears")} a ${pick("bird mouse")}.\n`;
  return Array.from({ length: count }, sentence).join("");
}

const text = sentences(120);
/** The part of the text that is held out. */
const held = text.slice(Math.floor(0.9 * text.length));

const training = "train --text t.txt --preset gpt-nano --context 16 --device wasm --lr 0.005 --max-steps 60";

let trained: Finished;
beforeAll(async () => {
  writeFileSync(inFolder("t.txt"), text);
  writeFileSync(inFolder("held.txt"), held);
  trained = await wgrad(`${training} --sample-every 30 --out m.safetensors --log l.jsonl --report r.html`);
});

describe("wgrad train --text", () => {
  test("prints the text, the network, samples, and the loss in three units", () => {
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    const { stdout } = trained;
    expect(stdout).toMatch(/^data +t\.txt: 2,\d{3} tokens for training, 3\d\d for validation$/m);
    expect(stdout).toMatch(/^text +22 different characters, windows of 16 tokens$/m);
    expect(stdout).toMatch(/^network +gpt-nano, 3 blocks of 3 heads, width 48, 86,736 parameters$/m);
    expect(stdout).toMatch(
      /^training +60 steps of 12, adamW, learning rate 0\.005 \(cosine after 3 steps of warmup\)$/m,
    );
    expect(stdout).toMatch(/^\d+\/60 .* tokens\/s/m);
    expect(stdout.match(/^sample +after step (\d+)\n {2}\| /gm)).toHaveLength(2);
    expect(stdout).toMatch(/^validation loss [\d.]+ {2}perplexity [\d.]+ {2}[\d.]+ bits per character {2}\(/m);
  });

  test("learns, and logs samples and metrics", () => {
    const events = cli.eventsIn("l.jsonl");
    const done = events.at(-1)!;
    const loss = done["validationLoss"] as number;
    // Single characters have an entropy of 2.7 nats.
    expect(loss).toBeLessThan(2.2);
    expect(done["validationPerplexity"]).toBeCloseTo(Math.exp(loss), 10);
    expect(done["validationBitsPerCharacter"]).toBeCloseTo(loss / Math.LN2, 10);
    const samples = events.filter(({ sample }) => sample !== undefined);
    expect(samples.map(({ step }) => step)).toEqual([30, 60]);
    for (const { sample } of samples) expect(sample).toHaveLength(16);
    expect(samples[1]!["tokensPerSecond"]).toBeCloseTo(16 * (samples[1]!["examplesPerSecond"] as number), 6);
  });

  test("writes a report with the samples", () => {
    const report = readFileSync(inFolder("r.html"), "utf8");
    const [, section] = report.split("<h2>Samples</h2>");
    const samples = cli.eventsIn("l.jsonl").flatMap(({ sample }) => (typeof sample === "string" ? [sample] : []));
    for (const sample of samples) expect(section).toContain(`<pre>${sample}</pre>`);
    expect(report).toContain("<dt>bits per character</dt>");
    expect(report).not.toContain("Weights of the first layer");
  });

  test("stores the tokenizer, and the options that a run of the same numbers needs", async () => {
    const { tokenizer, configuration, results, model } = await loadModelFile(inFolder("m.safetensors"));
    expect(tokenizer).toEqual(characterTokenizer(text).config);
    expect(model.inputShape).toEqual([16]);
    expect(configuration).toMatchObject({ context: 16, warmup: 3, weightDecay: 0.1, beta2: 0.99, clipNorm: 1 });
    expect(results).toMatchObject({ data: "t.txt, validation" });
    const printed = await wgrad(`${training} --print-config`);
    writeFileSync(inFolder("run.json"), printed.stdout);
    const again = await wgrad("train --config run.json --print-config");
    expect(again).toEqual(printed);
    const options = {
      text: "t.txt",
      tokenizer: "characters",
      validation: 0.1,
      finalRate: 0.1,
      maxSteps: 60,
      epochs: 4,
    };
    expect(JSON.parse(printed.stdout)).toMatchObject({ ...options, data: null });
  });

  test("a killed run resumes with the same samples, losses and bits", async () => {
    const options = "--sample-every 15 --checkpoint kept --every 10 --log kept.jsonl --out kept.safetensors";
    const env = actingWhen(HAS_CHECKPOINT, signaled("SIGKILL"));
    const killed = await cli.run(`${training} ${options}`.split(" "), { env });
    expect(killed.code).toBe(null);
    const resumed = await wgrad(`${training} ${options} --resume`);
    expect(resumed).toMatchObject({ code: 0, stderr: "" });
    expect(resumed.stdout).toMatch(/^resumed +at step [1-5]0/m);
    const tensorsOf = (name: string) => readSafetensors(readFileSync(inFolder(name)), name).tensors;
    expect(tensorsOf("kept.safetensors")).toEqual(tensorsOf("m.safetensors"));
    const lossesOf = (name: string) => new Map(cli.eventsIn(name).map(({ step, loss }) => [step, loss]));
    const whole = lossesOf("l.jsonl");
    for (const [step, loss] of lossesOf("kept.jsonl")) if (whole.has(step)) expect(loss).toBe(whole.get(step));
    const samplesOf = (name: string, step: number) =>
      cli.eventsIn(name).find((event) => event["step"] === step)!["sample"];
    for (const step of [30, 60]) expect(samplesOf("kept.jsonl", step)).toBe(samplesOf("l.jsonl", step));
    const other = await wgrad(`${training.replace("--context 16", "--context 8")} ${options} --resume`);
    expectRefusal(other, 2, /it has --context 16, this run has --context 8/);
  });

  test("a run whose loss becomes NaN stops, or goes on without samples", async () => {
    const network = [
      "--layers",
      "tied(gru 4 sequences=true) 22 4",
      "--context",
      "4",
      "--optimizer",
      "sgd",
      "--lr",
      "1e38",
    ];
    const diverging = ["train", "--text", "t.txt", "--device", "wasm", "--max-steps", "10", ...network];
    expectRefusal(await cli.run(diverging), 1, /is not finite, at learning rate [\d.]+e\+\d+.*choose another --on-nan/);
    const unfit = diverging.map((value) => value.replace(") 22 4", ") 23 4"));
    const shapes =
      /--layers: the last layer has an output of shape \[4, 23\], not \[4, 22\]: the context and the vocabulary/;
    expectRefusal(await cli.run(unfit), 2, shapes);
    const ignoring = await cli.run([...diverging, "--on-nan", "ignore"]);
    expect(ignoring.stdout).toMatch(/^network +4, gru 4, 208 parameters$/m);
    expect(ignoring.code).toBe(0);
    expect(ignoring.stdout).not.toMatch(/^sample/m);
    expect(ignoring.stderr).toMatch(/training diverged/);
  });

  test("a sweep compares contexts by the loss of held-out text", async () => {
    const { code, stdout } = await wgrad(
      "sweep --text t.txt --preset gpt-nano --device wasm --max-steps 4 --tokenizer bpe --vocabulary 260 --grid context=4,8 --out runs",
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1\/2 {2}context 4: validation loss [\d.]+ {2}perplexity/m);
    const [header, ...rows] = readFileSync(inFolder("runs/results.csv"), "utf8").trimEnd().split("\n");
    expect(header).toBe("run,context,loss,perplexity,bitsPerCharacter,steps,stop,seconds");
    expect(rows.map((row) => row.split(",")[1])).toEqual(["4", "8"]);
    const [, , loss, , bits] = rows[0]!.split(",").map(Number);
    // A token is longer than a character.
    expect(bits).toBeLessThan(loss! / Math.LN2);
    expect((await loadModelFile(inFolder("runs/best.safetensors"))).tokenizer).toMatchObject({ type: "bytePairs" });
  });
});

describe("wgrad generate", () => {
  test("continues a prompt as the library does, and ends before a stop text", async () => {
    const { model, tokenizer } = await loadModelFile(inFolder("m.safetensors"));
    expect(tokenizer!.type).toBe("characters");
    const backend = createCpuBackend();
    const generator = await createTextGenerator({
      model,
      session: backend.createSession(),
      tokenizer: characterTokenizer(text),
    });
    const options = { prompt: "the ", tokens: 12, temperature: 0.5, topK: 5, topP: 0.9, seed: 3 };
    let expected = "";
    for await (const { text: piece } of generator.generate(options)) expected += piece;
    const command = ["generate", "m.safetensors", "--device", "cpu", "--prompt", "the ", "--tokens", "12"];
    const sampling = "--temperature 0.5 --top-k 5 --top-p 0.9 --seed 3".split(" ");
    const generated = await cli.run([...command, ...sampling]);
    expect(generated).toEqual({ code: 0, stderr: "", stdout: `the ${expected}\n` });
    const stopped = await cli.run([...command, ...sampling, "--stop", expected.slice(3, 6), "--stop", "#"]);
    expect(stopped.stdout).toBe(`the ${expected.slice(0, expected.indexOf(expected.slice(3, 6)))}\n`);
  });

  test("starts from a line break without a prompt, and goes beyond the context", async () => {
    const { stdout } = await wgrad("generate m.safetensors --tokens 20 --temperature 0 --device wasm");
    expect(stdout).toHaveLength(21);
  });

  test("refuses unknown characters, prompts longer than the context, and other models", async () => {
    const unknown = await wgrad("generate m.safetensors --prompt the# --device cpu");
    expectRefusal(unknown, 1, /^error: --prompt, line 1, column 4: the character "#" \(U\+0023\) has no token\./);
    expect(unknown.stdout).toBe("");
    const long = await wgrad(`generate m.safetensors --prompt ${"a".repeat(17)} --device cpu`);
    expectRefusal(long, 2, /^error: --prompt: the prompt has 17 tokens\. Give .* at most 16 tokens, the context/);
    const model = sequential([dense(2)], { inputShape: [3] });
    const facts = {
      loss: "softmaxCrossEntropy",
      normalization: { scale: 1, offset: 0 },
      step: 0,
      training: {},
    } as const;
    await saveModelFile(inFolder("table.st"), { ...facts, model, classes: ["a", "b"] }, initialValues(model));
    const other = await wgrad("generate table.st --prompt a");
    expectRefusal(other, 2, /table\.st: the model was not trained on text, and has no tokenizer\. Give a model that/);
    expectRefusal(await wgrad("evaluate table.st --text t.txt"), 2, /the model was not trained on text/);
  });
});

describe("a model of texts", () => {
  test("is evaluated on a file with the loss of its training", async () => {
    const json = await wgrad("evaluate m.safetensors --text held.txt --device wasm --json");
    const found = JSON.parse(json.stdout) as Record<string, number>;
    const done = cli.eventsIn("l.jsonl").at(-1)!;
    expect(found["loss"]).toBeCloseTo(done["validationLoss"] as number, 5);
    expect(found["perplexity"]).toBeCloseTo(Math.exp(found["loss"]!), 10);
    expect(found["tokens"]).toBe(16 * Math.floor((held.length - 1) / 16));
    const { stdout } = await wgrad("evaluate m.safetensors --text held.txt --device wasm");
    expect(stdout).toMatch(/^model +m\.safetensors: 60 steps on t\.txt$/m);
    expect(stdout).toMatch(/^test loss [\d.]+ {2}perplexity [\d.]+ {2}[\d.]+ bits per character$/m);
    expectRefusal(
      await wgrad("evaluate m.safetensors"),
      2,
      /m\.safetensors: the model was trained on text\. Give a text file with --text/,
    );
  });

  test("has a summary and exports, and predicts nothing but text", async () => {
    expect((await wgrad("summary m.safetensors")).stdout).toMatch(/^tokens +22 different characters$/m);
    const exported = await wgrad("export m.safetensors --onnx m.onnx --safetensors torch.safetensors");
    expect(exported).toMatchObject({ code: 0, stderr: "" });
    expect(exported.stdout).toMatch(/m\.onnx: features \[batch, 16\] → logits, probabilities \[batch, 16, 22\]/);
    expect(exported.stdout).toContain("class TiedEmbedding(nn.Module)");
    const gpt2 = await wgrad("export m.safetensors --gpt2 gpt2.safetensors");
    expect(gpt2.stdout).toContain('network.load_state_dict(load_file("gpt2.safetensors"))');
    const { model } = await loadModelFile(inFolder("m.safetensors"));
    const back = loadGpt2(readFileSync(inFolder("gpt2.safetensors")), "gpt2.safetensors");
    expect(initialValues(back)).toEqual(initialValues(model));
    expect(readFileSync(inFolder("m.onnx"), "utf8")).toContain(JSON.stringify(characterTokenizer(text).config));
    expectRefusal(
      await wgrad("predict m.safetensors t.txt"),
      2,
      /predicts tokens\. Continue texts with `wgrad generate`/,
    );
  });
});
