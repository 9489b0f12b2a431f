import { encode } from "fast-png";
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { writeIdx } from "../../data/idx-files.ts";
import { commandLine, smallPictures, writeMnist, type Finished } from "../built-cli.ts";

const cli = commandLine();
const { inFolder } = cli;
const wgrad = (args: string): Promise<Finished> => cli.run(args.split(" "));

describe("images", () => {
  test("in IDX files are trained on and evaluated, and a PNG is predicted", async () => {
    const { trainImages, trainLabels, testImages, testLabels } = smallPictures();
    for (const [name, bytes] of Object.entries({ a: trainImages, b: trainLabels, c: testImages, d: testLabels }))
      writeFileSync(inFolder(`${name}.idx`), bytes);
    const train =
      "train --images a.idx --labels b.idx --test-images c.idx --test-labels d.idx --hidden 8 --batch 20 --lr 0.02 --epochs 30 --device cpu";
    const trained = await wgrad(`${train} --out idx.safetensors`);
    expect(trained.stdout).toMatch(/^data {6}a\.idx: 200 for training, 50 for testing$/m);
    const evaluated = await wgrad("evaluate idx.safetensors --images c.idx --labels d.idx --device cpu");
    const result = (text: string) => /test accuracy .* loss [\d.]+/.exec(text)?.[0];
    expect(result(evaluated.stdout)).toBe(result(trained.stdout));
    expect(evaluated.stdout).toContain("confusion matrix: rows are the true classes");
    writeMnist(inFolder("four"), smallPictures());
    expect(result((await wgrad("evaluate idx.safetensors --images four --device cpu")).stdout)).toBe(
      result(trained.stdout),
    );

    const gray = Uint8Array.from({ length: 20 }, (_, pixel) => (pixel === 7 ? 255 : 40));
    writeFileSync(inFolder("seven.png"), encode({ width: 5, height: 4, channels: 1, data: gray }));
    expect((await wgrad("predict idx.safetensors seven.png --device cpu")).stdout).toBe("prediction\n7\n");
    const ink = {
      width: 10,
      height: 8,
      channels: 4,
      data: Uint8Array.from({ length: 320 }, (_, at) => {
        const [row, column] = [Math.floor(at / 40) >> 1, (Math.floor(at / 4) % 10) >> 1];
        return at % 4 === 3 ? 255 : 255 - gray[row * 5 + column]!;
      }),
    };
    writeFileSync(inFolder("large.png"), encode(ink));
    const refused = await wgrad("predict idx.safetensors large.png --device cpu");
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/large\.png: the image has 10×8 pixels.*expects 5×4.*--resize/) as string,
    });
    expect((await wgrad("predict idx.safetensors large.png --invert --resize --device cpu")).stdout).toBe(
      "prediction\n7\n",
    );
    expect((await wgrad("predict idx.safetensors large.png --resize --device cpu")).stderr).toMatch(
      /mostly bright.*--invert/,
    );
    const csv = cli.runReading("predict idx.safetensors --device cpu", "1,2\n");
    expect(csv).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /standard input: idx\.safetensors was trained on images, but this is not a PNG/,
      ) as string,
    });
  });

  test("may have more than ten classes", async () => {
    writeFileSync(
      inFolder("p.idx"),
      writeIdx(
        [4, 2, 2],
        Uint8Array.from({ length: 16 }, (_, index) => index),
      ),
    );
    writeFileSync(inFolder("l.idx"), writeIdx([4], Uint8Array.of(0, 11, 3, 11)));
    expect((await wgrad("train --images p.idx --labels l.idx --max-steps 1 --device cpu")).stdout).toContain(
      "network   4-128-12 relu",
    );
  });
});
