/** What a bundle's `manifest.json` says, as far as this page needs it (docs/bundle-format.md). */
import { AlignmentRecord } from "./alignment";
import { PageError } from "./errors";
import facts from "./facts.json";

const SCHEMA_VERSION = facts.schemaVersion, RUNTIME = "litert";

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
  readonly fused_thresholds: PerLabel | null;
  /** Absent in older bundles, which have logits. */
  readonly answers?: "logits" | "probabilities";
}

export interface InputSpec {
  readonly size: readonly [number, number];
  readonly color: "RGB" | "BGR" | "GRAY";
  readonly mean: readonly number[];
  readonly std: readonly number[];
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
  readonly experimental: readonly string[];
  readonly landmark_model: string | null;
  readonly fusion: { readonly network: PerLabel; readonly landmark: PerLabel; readonly bias: PerLabel } | null;
  readonly landmarks: { readonly detector: string; readonly mesh: string } | null;
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
  return manifest;
}

/** The artifact that LiteRT.js can run. */
export function artifactOf(manifest: Manifest): Artifact {
  const artifact = manifest.artifacts.find((one) => one.runtime === RUNTIME);
  if (artifact) return artifact;
  const have = manifest.artifacts.map((one) => `${one.runtime}/${one.precision}`).join(", ");
  throw new PageError(`The bundle has no artifact for LiteRT, which runs in a browser; it has ${have}. Export it with --target web.`);
}
