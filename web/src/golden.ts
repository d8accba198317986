/** Golden answers: crops of faces and what the artifact said about them where the bundle was made (`edgeau.bundle.golden`). */
import { AuNetwork } from "./au-network";
import { PageError } from "./errors";
import facts from "./facts.json";
import { Artifact, Manifest } from "./manifest";
import { readNpz } from "./npz";
import { Picture } from "./picture";
import { probability } from "./probability";

export interface GoldenDifference {
  readonly crops: number;
  /** Largest difference of a probability. */
  readonly probability: number;
  readonly flips: number;
}

/** Run the first `most` golden crops and compare; an engine that answers otherwise is refused. */
export async function checkGolden(
  content: Uint8Array, manifest: Manifest, artifact: Artifact, network: AuNetwork, most: number,
): Promise<GoldenDifference> {
  const arrays = await readNpz(content, manifest.golden);
  const crops = arrays.get("crops"), logits = arrays.get(`logits/${artifact.file}`), decisions = arrays.get(`decisions/${artifact.file}`);
  if (!crops || !logits || !decisions) throw new PageError(`The bundle has no golden answers for ${artifact.file}. Export the folder again.`);
  const [count, height, width] = crops.shape as [number, number, number], labels = manifest.labels;
  const allowed = (facts.tolerances as Record<string, { probability: number }>)[artifact.precision]?.probability ?? 0;
  let largest = 0, flips = 0;
  for (let crop = 0; crop < Math.min(count, most); crop++) {
    const answer = await network.logits(pictureOf(crops.values, crop, width, height));
    labels.forEach((label, column) => {
      const at = crop * labels.length + column, likely = probability(answer[column]!), expected = probability(logits.values[at]!);
      largest = Math.max(largest, Number.isNaN(likely) ? 1 : Math.abs(likely - expected));
      const threshold = artifact.thresholds[label]!, clear = Math.abs(expected - threshold) > allowed;
      if (clear && Number(likely >= threshold) !== decisions.values[at]!) flips++;
    });
  }
  if (largest > allowed || flips) {
    throw new PageError(
      `This browser answers otherwise than the machine that made the bundle (a probability by ${largest.toFixed(3)}, ${flips} decisions), so nothing is shown.`,
    );
  }
  return { crops: Math.min(count, most), probability: largest, flips };
}

function pictureOf(values: Uint8Array | Float32Array, index: number, width: number, height: number): Picture {
  const data = new Uint8Array(4 * width * height), first = 3 * width * height * index;
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let k = 0; k < 3; k++) data[4 * pixel + k] = values[first + 3 * pixel + k]!;
  }
  return { width, height, data };
}
