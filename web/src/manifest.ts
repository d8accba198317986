/** What a bundle's `manifest.json` says, as far as this page needs it (docs/bundle-format.md), checked as `edgeau.bundle.checks` does. */
import { AlignmentRecord } from "./alignment";
import { PageError } from "./errors";
import facts from "./facts.json";

const SCHEMA_VERSION = facts.schemaVersion, LONGEST_SIDE = facts.longestSide, RUNTIME = "litert";
const COLORS = { RGB: 3, BGR: 3, GRAY: 1 } as const;

type PerLabel = Record<string, number>;

export interface FileRecord {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Artifact {
  readonly file: string;
  readonly runtime: string;
  readonly precision: string;
  readonly thresholds: PerLabel;
  readonly fused_thresholds?: PerLabel | null;
  /** Absent in older bundles, which have logits. */
  readonly answers?: "logits" | "probabilities";
}

export interface InputSpec {
  readonly layout: "NCHW";
  readonly size: readonly [number, number];
  readonly color: keyof typeof COLORS;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export interface Fusion {
  readonly network: PerLabel;
  readonly landmark: PerLabel;
  readonly bias: PerLabel;
}

export interface Manifest {
  readonly schema_version: number;
  readonly labels: readonly string[];
  readonly network: { readonly title: string; readonly trained: boolean };
  readonly input: InputSpec;
  readonly alignment: AlignmentRecord;
  readonly artifacts: readonly Artifact[];
  readonly files: readonly FileRecord[];
  readonly golden: string;
  readonly experimental?: readonly string[];
  readonly landmark_model?: string | null;
  readonly fusion?: Fusion | null;
  readonly landmarks?: { readonly detector: string; readonly mesh: string } | null;
}

/** Read a manifest; one that this page cannot use is refused in one sentence. */
export function parseManifest(text: string): Manifest {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text) as Manifest;
  } catch {
    throw new PageError("manifest.json is not JSON, so the folder is damaged. Copy it again.");
  }
  const isBundle = Array.isArray(manifest?.labels) && Array.isArray(manifest.artifacts) && Array.isArray(manifest.files);
  if (!isBundle || typeof manifest.schema_version !== "number") {
    throw new PageError("manifest.json is not that of an edgeau bundle. Export the folder with edgeau-export --target web.");
  }
  if (manifest.schema_version > SCHEMA_VERSION) {
    throw new PageError(`The bundle has schema version ${manifest.schema_version}, this page reads ${SCHEMA_VERSION}. Export page and bundle with one edgeau.`);
  }
  if (!manifest.landmarks) {
    throw new PageError("The bundle brings no face landmark networks, which the page needs. Export it with edgeau-export --target web.");
  }
  let fault: string | undefined;
  try {
    fault = faultOf(manifest);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    fault = "a field is missing or of another type"; // such as a property of what is not there
  }
  if (fault !== undefined) throw new PageError(`manifest.json: ${fault}. The file is damaged or was edited; export the folder again.`);
  return manifest;
}

function faultOf(manifest: Manifest): string | undefined {
  const { labels, network, experimental = [], artifacts, fusion } = manifest;
  if (!labels.length || !labels.every((label) => typeof label === "string")) return "labels: there is none, or one is not a text";
  if (new Set(labels).size < labels.length) return "labels: one appears twice";
  if (!experimental.every((label) => labels.includes(label))) return "experimental: not among the labels";
  if (typeof network.title !== "string" || typeof network.trained !== "boolean") return "network: title or trained is missing";
  return faultOfInput(manifest.input)
    ?? first(artifacts.filter(({ runtime }) => runtime === RUNTIME), (artifact) => faultOfArtifact(artifact, labels))
    ?? (fusion ? faultOfFusion(fusion, manifest) : undefined);
}

function faultOfInput({ layout, size, color, mean, std }: InputSpec): string | undefined {
  if (layout !== "NCHW") return `input: layout ${JSON.stringify(layout)}; this page knows NCHW`;
  const channels = Object.hasOwn(COLORS, color) ? COLORS[color] : undefined;
  if (channels === undefined) return `input: color ${JSON.stringify(color)}; this page knows ${Object.keys(COLORS).join(", ")}`;
  for (const [name, values] of [["mean", mean], ["std", std]] as const) {
    if (values.length !== channels || !values.every(Number.isFinite)) return `input: ${name} is not ${channels} numbers, as ${color} needs`;
  }
  if (!std.every((value) => value > 0)) return "input: std must be above 0";
  const isSide = (side: number): boolean => Number.isInteger(side) && side >= 1 && side <= LONGEST_SIDE;
  return size.length === 2 && size.every(isSide) ? undefined : `input: size; a side has 1 to ${LONGEST_SIDE} pixels`;
}

function faultOfArtifact({ file, answers, thresholds, fused_thresholds }: Artifact, labels: readonly string[]): string | undefined {
  const place = (field: string): string => `artifacts: ${field} of ${JSON.stringify(file)}`;
  if (answers !== undefined && answers !== "logits" && answers !== "probabilities") {
    return `artifacts: ${JSON.stringify(file)} answers ${JSON.stringify(answers)}, which is not known`;
  }
  const isShare = (value: number): boolean => value >= 0 && value <= 1;
  return faultOfNumbers(thresholds, labels, place("thresholds"), isShare, "leave 0..1")
    ?? (fused_thresholds ? faultOfNumbers(fused_thresholds, labels, place("fused_thresholds"), isShare, "leave 0..1") : undefined);
}

function faultOfFusion({ network, landmark, bias }: Fusion, { labels, landmark_model }: Manifest): string | undefined {
  if (!landmark_model) return "fusion: needs a landmark_model";
  const isWeight = (value: number): boolean => value >= 0;
  return faultOfNumbers(network, labels, "fusion: network", isWeight, "has a negative weight")
    ?? faultOfNumbers(landmark, labels, "fusion: landmark", isWeight, "has a negative weight")
    ?? faultOfNumbers(bias, labels, "fusion: bias", () => true, "");
}

/** Of numbers that stand for each label, no more and no fewer. */
function faultOfNumbers(
  values: PerLabel, labels: readonly string[], place: string, allowed: (value: number) => boolean, otherwise: string,
): string | undefined {
  const odd = [...labels.filter((label) => !Object.hasOwn(values, label)), ...Object.keys(values).filter((label) => !labels.includes(label))];
  if (odd.length) return `${place} and the labels differ in ${odd.join(", ")}`;
  if (!labels.every((label) => Number.isFinite(values[label]))) return `${place} holds something that is not a number`;
  return labels.every((label) => allowed(values[label]!)) ? undefined : `${place} ${otherwise}`;
}

function first<T>(items: readonly T[], fault: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = fault(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The artifact that LiteRT.js can run. */
export function artifactOf(manifest: Manifest): Artifact {
  const artifact = manifest.artifacts.find((one) => one.runtime === RUNTIME);
  if (artifact) return artifact;
  const have = manifest.artifacts.map((one) => `${one.runtime}/${one.precision}`).join(", ");
  throw new PageError(`The bundle has no artifact for LiteRT, which runs in a browser; it has ${have}. Export it with --target web.`);
}
