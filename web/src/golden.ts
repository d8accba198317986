/** Golden answers: crops of faces and what the artifact said about them where the bundle was made (`edgeau.bundle.golden`). */
import { AuNetwork } from "./au-network";
import { PageError } from "./errors";
import facts from "./facts.json";
import { Artifact, Manifest } from "./manifest";
import { NpyArray, readNpz } from "./npz";
import { Picture } from "./picture";
import { probability } from "./probability";

export interface GoldenDifference {
  readonly crops: number;
  /** Largest difference of a probability. */
  readonly probability: number;
  readonly flips: number;
}

interface Answers {
  readonly count: number;
  readonly crops: Uint8Array;
  readonly logits: Float32Array;
  readonly decisions: Uint8Array;
}

/** Run the first `most` golden crops and compare; an engine that answers otherwise is refused. */
export async function checkGolden(
  content: Uint8Array, manifest: Manifest, artifact: Artifact, network: AuNetwork, most: number,
): Promise<GoldenDifference> {
  const { labels, golden, input: { size: [height, width] } } = manifest;
  const { count, crops, logits, decisions } = answersOf(await readNpz(content, golden), manifest, artifact);
  const allowed = (facts.tolerances as Record<string, { logit: number | null; probability: number } | undefined>)[artifact.precision];
  if (!allowed) throw new PageError(`This page does not know the precision ${artifact.precision}. Export page and bundle with one edgeau.`);
  const looked = Math.min(count, most);
  let ofLogits = 0, largest = 0, flips = 0;
  for (let crop = 0; crop < looked; crop++) {
    const answer = await network.logits(pictureOf(crops, crop, width, height));
    if (answer.length !== labels.length || !answer.every(Number.isFinite)) {
      throw new PageError(`${artifact.file} gives ${answer.length} logits of ${labels.length} labels here, or some that are not finite, so nothing is shown.`);
    }
    labels.forEach((label, column) => {
      const at = crop * labels.length + column, likely = probability(answer[column]!), expected = probability(logits[at]!);
      ofLogits = Math.max(ofLogits, Math.abs(answer[column]! - logits[at]!));
      largest = Math.max(largest, Math.abs(likely - expected));
      const threshold = artifact.thresholds[label]!, clear = Math.abs(expected - threshold) > allowed.probability;
      if (clear && Number(likely >= threshold) !== decisions[at]!) flips++;
    });
  }
  if (ofLogits > (allowed.logit ?? Infinity) || largest > allowed.probability || flips) {
    throw new PageError(
      `This browser answers otherwise than the machine that made the bundle (a probability by ${largest.toFixed(3)}, ${flips} decisions), so nothing is shown.`,
    );
  }
  return { crops: looked, probability: largest, flips };
}

/** The arrays of one artifact; what they lack is refused, since a comparison with it would find no difference. */
function answersOf(arrays: ReadonlyMap<string, NpyArray>, { labels, input }: Manifest, { file }: Artifact): Answers {
  const crops = arrays.get("crops"), logits = arrays.get(`logits/${file}`), decisions = arrays.get(`decisions/${file}`);
  if (!crops || !logits || !decisions) throw new PageError(`The bundle has no golden answers for ${file}. Export the folder again.`);
  const count = crops.shape[0] ?? 0, isOf = ({ shape }: NpyArray, ...wanted: number[]): boolean => shape.join() === wanted.join();
  const fits = count > 0 && isOf(crops, count, ...input.size, 3) && isOf(logits, count, labels.length) && isOf(decisions, count, labels.length);
  if (!fits || !(crops.values instanceof Uint8Array && logits.values instanceof Float32Array && decisions.values instanceof Uint8Array)) {
    throw new PageError(`The golden answers for ${file} do not fit its labels and its input. Export the folder again.`);
  }
  if (!logits.values.every(Number.isFinite)) throw new PageError(`The golden answers for ${file} are not finite. Export the folder again.`);
  return { count, crops: crops.values, logits: logits.values, decisions: decisions.values };
}

function pictureOf(values: Uint8Array, index: number, width: number, height: number): Picture {
  const data = new Uint8Array(4 * width * height), first = 3 * width * height * index;
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let k = 0; k < 3; k++) data[4 * pixel + k] = values[first + 3 * pixel + k]!;
  }
  return { width, height, data };
}
