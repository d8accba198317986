/** Network and landmark model of a bundle, combined and decided at its thresholds (`edgeau.action_units.predictor`). */
import { AuNetwork } from "./au-network";
import { PageError } from "./errors";
import { LandmarkModel } from "./landmark-model";
import { Artifact, Manifest } from "./manifest";
import { Picture } from "./picture";
import { Points } from "./points";
import { probability } from "./probability";
import type { Reason } from "./quality";

export interface ActionUnit {
  /** 0..1; null where it is refused. */
  readonly probability: number | null;
  readonly active: boolean | null;
  readonly reason: Reason | null;
  /** Of the person's own left and right side; null where they are not told apart. */
  readonly left: number | null;
  readonly right: number | null;
}

export type ActionUnits = Record<string, ActionUnit>;

export class Predictor {
  /** The labels that are given, in order. */
  readonly labels: readonly string[];
  readonly thresholds: Readonly<Record<string, number>>;

  constructor(
    readonly network: AuNetwork,
    private readonly manifest: Manifest,
    artifact: Artifact,
    private readonly landmarkModel: LandmarkModel | undefined,
  ) {
    this.labels = manifest.labels.filter((label) => !manifest.experimental?.includes(label));
    this.thresholds = (manifest.fusion && artifact.fused_thresholds) || artifact.thresholds;
    for (const [label, weight] of Object.entries(manifest.fusion?.landmark ?? {})) {
      if (weight && !landmarkModel?.labels.includes(label)) {
        throw new PageError(`The bundle's landmark model does not know ${label}, which its fusion needs. Export the folder again.`);
      }
    }
  }

  async predict(crop: Picture, points: Points): Promise<ActionUnits> {
    const logits = await this.network.logits(crop), estimate = this.landmarkModel?.estimate(points);
    const { fusion, labels } = this.manifest, units: ActionUnits = {};
    for (const label of this.labels) {
      let logit = logits[labels.indexOf(label)]!;
      if (fusion) {
        const known = this.landmarkModel?.labels.indexOf(label) ?? -1;
        const landmark = known < 0 ? 0 : estimate!.logits[known]!;
        logit = fusion.network[label]! * logit + fusion.landmark[label]! * landmark + fusion.bias[label]!;
      }
      const likely = probability(logit), side = this.landmarkModel?.sidedLabels.indexOf(label) ?? -1;
      const asymmetry = side < 0 ? null : estimate!.asymmetries[side]!;
      units[label] = {
        probability: likely,
        active: likely >= this.thresholds[label]!,
        reason: null,
        // The side that the landmarks find stronger has the AU's own logit; the other one lies below it.
        left: asymmetry === null ? null : probability(logit + Math.min(0, asymmetry)),
        right: asymmetry === null ? null : probability(logit + Math.min(0, -asymmetry)),
      };
    }
    return units;
  }
}
