/** The bundle's network: aligned crops in, logits out. */
import { Network } from "./engine";
import { PageError } from "./errors";
import { Artifact, InputSpec } from "./manifest";
import { Picture } from "./picture";

// A probability of 0 or 1 has no logit: the nearest one in float32 that has (`edgeau.runtimes.session`).
const CERTAIN = 1e-7;

const CHANNELS: Record<InputSpec["color"], readonly number[]> = { RGB: [0, 1, 2], BGR: [2, 1, 0], GRAY: [] };

export class AuNetwork {
  private readonly input: Float32Array;
  private readonly tables: Float32Array[];

  private constructor(
    private readonly network: Network,
    private readonly spec: InputSpec,
    private readonly planes: boolean,
    private readonly probabilities: boolean,
  ) {
    const [height, width] = spec.size;
    this.input = new Float32Array(spec.mean.length * height * width);
    // (x / 255 - mean) / std in float32: a product, then a sum.
    this.tables = spec.mean.map((mean, channel) => {
      const scale = Math.fround(1 / (255 * spec.std[channel]!)), shift = Math.fround(-mean / spec.std[channel]!);
      return Float32Array.from({ length: 256 }, (_, value) => Math.fround(value * scale) + shift);
    });
  }

  static async open(content: Uint8Array, { file, answers }: Artifact, spec: InputSpec): Promise<AuNetwork> {
    const network = await Network.open(content, file);
    const [shape] = network.inputShapes, [height, width] = spec.size, channels = spec.mean.length;
    const planes = shape?.length === 4 && shape[1] === channels && shape[2] === height && shape[3] === width;
    const woven = shape?.length === 4 && shape[1] === height && shape[2] === width && shape[3] === channels;
    if (!(planes || woven) || shape[0] !== 1) {
      throw new PageError(`${file} takes ${shape?.join(" x ")}, not one picture of ${height} x ${width}. Export the folder again.`);
    }
    return new AuNetwork(network, spec, !woven, answers === "probabilities");
  }

  async logits(crop: Picture): Promise<Float32Array> {
    const { data } = crop, pixels = crop.width * crop.height, { tables, input } = this;
    const order = CHANNELS[this.spec.color];
    const [alongPixels, alongChannels] = this.planes ? [1, pixels] : [tables.length, 1];
    tables.forEach((table, channel) => {
      const values = order.length ? data : greys(data, pixels), from = order[channel] ?? 0;
      normalize(values, from, order.length ? 4 : 1, table, input, channel * alongChannels, alongPixels, pixels);
    });
    const answers = (await this.network.run(input))[0]!;
    return this.probabilities ? answers.map(logit) : answers;
  }
}

function logit(probability: number): number {
  const inside = Math.min(Math.max(probability, CERTAIN), 1 - CERTAIN);
  return Math.log(inside / (1 - inside));
}

/** One channel into the network's input, each from its own place in its own steps. */
function normalize(
  values: Picture["data"], from: number, step: number, table: Float32Array, input: Float32Array, to: number, along: number, pixels: number,
): void {
  for (let pixel = 0; pixel < pixels; pixel++, from += step, to += along) input[to] = table[values[from]!]!;
}

function greys(data: Picture["data"], pixels: number): Uint8Array {
  const values = new Uint8Array(pixels);
  for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += 4) {
    values[pixel] = (data[at]! * 9798 + data[at + 1]! * 19235 + data[at + 2]! * 3735 + (1 << 14)) >> 15;
  }
  return values;
}
