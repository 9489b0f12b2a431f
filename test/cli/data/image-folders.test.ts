import { encode } from "fast-png";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Random } from "../../../src/random.ts";
import { jpegFiles } from "../../node/jpeg-files.ts";
import { commandLine, expectRefusal, type Finished } from "../built-cli.ts";

const cli = commandLine();
const { inFolder } = cli;
const wgrad = (args: string): Promise<Finished> => cli.run(args.split(" "));

function write(name: string, bytes: Uint8Array): void {
  mkdirSync(dirname(inFolder(name)), { recursive: true });
  writeFileSync(inFolder(name), bytes);
}

/** A PNG of noise around a color, of any size from 3×3 to 6×6. */
function noise(random: Random, color: readonly number[]): Uint8Array {
  const [width, height] = [3 + random.below(4), 3 + random.below(4)];
  const data = Uint8Array.from({ length: 3 * width * height }, (_, at) => color[at % 3]! + random.below(60));
  return encode({ width, height, channels: 3, data });
}

beforeAll(() => {
  const random = new Random(5);
  for (const [part, count] of [
    ["train", 12],
    ["test", 4],
  ] as const) {
    for (let index = 0; index < count; index++) {
      write(`${part}/red/${index}.png`, noise(random, [180, 20, 20]));
      write(`${part}/blue/deep/${index}.png`, noise(random, [20, 20, 180]));
    }
  }
  write("test/red/photo.jpg", jpegFiles.turned);
});

const options = "--hidden 8 --batch 8 --epochs 20 --lr 0.02 --device cpu";

test("a folder of images is trained on, evaluated and predicted, resized as in training", async () => {
  const trained = await wgrad(`train --images train --size 4x2 --test-images test ${options} --out pets.safetensors`);
  expect(trained.stdout).toMatch(/^data {6}train, 2 classes of color images:\n? +24 for training, 9 for testing$/m);
  expect(trained.stdout).toMatch(/^network {3}24-8-2 relu/m);
  const evaluated = await wgrad("evaluate pets.safetensors --images test --device cpu");
  const result = (text: string) => /test accuracy .* loss [\d.]+/.exec(text)?.[0];
  expect(result(evaluated.stdout)).toBe(result(trained.stdout));
  expect(evaluated.stdout).toMatch(/^ROC AUC {3}[01]\.\d{3}$/m);

  const many = await wgrad("predict pets.safetensors test/red test/blue/deep/1.png --device cpu");
  const lines = many.stdout.trimEnd().split("\n");
  expect(lines[0]).toBe("file,prediction,probability");
  expect(lines.slice(1).map((line) => line.split(",")[0])).toEqual([
    ...[0, 1, 2, 3].map((index) => `test/red/${index}.png`),
    "test/red/photo.jpg",
    "test/blue/deep/1.png",
  ]);
  expect(lines[1]).toMatch(/^test\/red\/0\.png,red,(0\.\d+|1)$/);
  expect(lines.at(-1)).toMatch(/,blue,(0\.\d+|1)$/);
  const json = await wgrad("predict pets.safetensors test/blue --probabilities --format json --device cpu");
  const first = JSON.parse(json.stdout.split("\n")[0]!) as Record<string, unknown>;
  expect(first).toEqual({
    file: "test/blue/deep/0.png",
    prediction: "blue",
    probability: expect.closeTo((first["probabilities"] as Record<string, number>)["blue"]!, 6) as number,
    probabilities: { blue: expect.any(Number) as number, red: expect.any(Number) as number },
  });
  // One image keeps the form that it always had.
  expect((await wgrad("predict pets.safetensors test/red/photo.jpg --device cpu")).stdout).toMatch(
    /^prediction\n(red|blue)\n$/,
  );

  copyFileSync(inFolder("pets.safetensors"), inFolder("test/red/model.txt"));
  const mixed = await wgrad("predict pets.safetensors test/red --device cpu");
  expect(mixed.stdout.trimEnd().split("\n")).toHaveLength(6);
  expectRefusal(mixed, 1, /1 of 6 files are not readable images: test\/red\/model\.txt \(this is neither/);
  expectRefusal(
    await wgrad("evaluate pets.safetensors --images test --device cpu"),
    1,
    /test: 1 of 10 files are not readable images: red\/model\.txt/,
  );
});

test("a folder of images is refused with the option that helps", async () => {
  expectRefusal(await wgrad("train --images train"), 1, /is \d×\d \(width × height\), but .* with --size\./);
  expectRefusal(await wgrad("train --images trian"), 1, /trian: cannot be read: no such file or folder/);
  expectRefusal(await wgrad("train --images train --size 4"), 2, /--size: "4" is not a size/);
  expectRefusal(await wgrad("train --images train --size 4x4 --labels a.idx"), 2, /--labels: .*Omit this option/);
  expectRefusal(await wgrad("train --size 4x4"), 2, /--size: this option requires --images/);
});
