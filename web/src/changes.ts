/** Whether anything changed between two small pictures but a sensor's noise (`edgeau.faces.landmarks.litert.detection`). */
import facts from "./facts.json";
import { Picture, shrink } from "./picture";

const BLOCKS = facts.search.blocks, CHANGED = facts.search.changed;

/** A part of a picture; it may reach beyond its edges to the right and below. */
export interface Part {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Of two squares of one size; what changed in the hidden parts does not count. */
export function hasChanged(before: Picture, now: Picture, hidden: readonly Part[]): boolean {
  const size = now.width, data = new Uint8ClampedArray(now.data.length);
  for (let at = 0; at < data.length; at++) data[at] = Math.abs(now.data[at]! - before.data[at]!);
  for (const { left, top, right, bottom } of hidden) {
    for (let y = top; y < Math.min(bottom, size); y++) {
      data.fill(0, 4 * (y * size + Math.min(left, size)), 4 * (y * size + Math.min(right, size)));
    }
  }
  const blocks = shrink({ ...now, data }, size / BLOCKS, BLOCKS, BLOCKS).data;
  return blocks.some((value) => value >= CHANGED);
}
