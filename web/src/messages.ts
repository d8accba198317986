/** What page and worker say to each other. */
import type { Face } from "./pipeline";

/** What the page must know once. */
export interface About {
  readonly labels: readonly string[];
  readonly thresholds: Readonly<Record<string, number>>;
  readonly title: string;
  readonly trained: boolean;
  readonly engine: string;
  readonly artifact: string;
  readonly precision: string;
  readonly golden: { readonly crops: number; readonly probability: number; readonly flips: number };
}

export type ToWorker =
  | { readonly kind: "open"; readonly folder: string }
  /** Forget the frames so far. */
  | { readonly kind: "reset" }
  /** An aligned crop for the network alone, for proofs. The answer has the same number. */
  | { readonly kind: "crop"; readonly number: number; readonly picture: ImageData }
  /** `timeS` of a frame in a stream; null of a picture by itself. The answer has the same number. */
  | { readonly kind: "frame"; readonly number: number; readonly picture: ImageBitmap | ImageData; readonly timeS: number | null };

export type FromWorker =
  | { readonly kind: "progress"; readonly said: string }
  | { readonly kind: "ready"; readonly about: About }
  | { readonly kind: "logits"; readonly number: number; readonly logits: Float32Array }
  | { readonly kind: "faces"; readonly number: number; readonly faces: readonly Face[]; readonly tookMs: number }
  /** `user`: a sentence for the person before the page; else our fault. */
  | { readonly kind: "failed"; readonly said: string; readonly user: boolean };
