/** The same number for the same face from frame to frame, from motion alone (`edgeau.faces.tracker`). */
import { Box } from "./alignment";
import { linearAssignment } from "./assignment";
import { Points } from "./points";

const MAX_STRAY = 0.4, STRAY_PER_S = 2, MAX_GROWTH = Math.log(1.6), USUAL_CHANGE = 0.02, CHANGE_PER_S = 0.04, MOST_CHANGE = 4;
const GROWTH_COST = 0.5, SHAPE_COST = 0.1, ABSENCE_COST = 0.3, TOO_MUCH = 2.5, LEARN = 0.4, COAST_S = 0.4;
const MAX_ABSENCE_S = 1, STEP_S = 1 / 30, EVERY = 8;

interface Sight {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly shape: Float32Array;
}

interface Track extends Sight {
  readonly number: number;
  readonly seenS: number;
  readonly speedX: number;
  readonly speedY: number;
}

export class FaceTracker {
  private tracks: Track[] = [];
  private next = 0;

  /** The numbers of the faces of the next frame, in the order of the boxes. */
  update(boxes: readonly Box[], landmarks: readonly Points[], timeS: number): number[] {
    const sights = boxes.map((box, at) => sightOf(box, landmarks[at]!));
    const costs = this.tracks.map((track) => sights.map((sight) => cost(track, sight, timeS)));
    const numbers = sights.map(() => -1);
    for (const [row, place] of linearAssignment(costs, TOO_MUCH)) {
      this.tracks[row] = followed(this.tracks[row]!, sights[place]!, timeS);
      numbers[place] = this.tracks[row]!.number;
    }
    this.tracks = this.tracks.filter((track) => timeS - track.seenS <= MAX_ABSENCE_S + 1e-6);
    return numbers.map((number, place) => (number < 0 ? this.start(sights[place]!, timeS) : number));
  }

  private start(sight: Sight, timeS: number): number {
    const number = this.next++;
    this.tracks.push({ ...sight, number, seenS: timeS, speedX: 0, speedY: 0 });
    return number;
  }
}

/** Mismatch of a face with a track, in sizes of the face; infinite when it cannot be its. */
function cost(track: Track, sight: Sight, nowS: number): number {
  if (!(track.size > 0 && sight.size > 0)) return Infinity;
  const growth = Math.abs(Math.log(sight.size / track.size)), onS = Math.min(nowS - track.seenS, COAST_S);
  const away = Math.hypot(sight.x - track.x - onS * track.speedX, sight.y - track.y - onS * track.speedY);
  const stray = away / Math.max(track.size, sight.size), absenceS = Math.max(0, nowS - track.seenS - STEP_S);
  if (growth > MAX_GROWTH || stray > MAX_STRAY + STRAY_PER_S * absenceS) return Infinity;
  let difference = 0;
  for (let at = 0; at < track.shape.length; at++) difference += Math.abs(track.shape[at]! - sight.shape[at]!);
  const change = Math.min(difference / track.shape.length / (USUAL_CHANGE + CHANGE_PER_S * absenceS), MOST_CHANGE);
  return stray + GROWTH_COST * growth + SHAPE_COST * change + ABSENCE_COST * absenceS;
}

function followed(track: Track, sight: Sight, nowS: number): Track {
  const passedS = nowS - track.seenS;
  let { speedX, speedY } = track;
  if (passedS > 0) {
    speedX += LEARN * ((sight.x - track.x) / passedS - speedX);
    speedY += LEARN * ((sight.y - track.y) / passedS - speedY);
  }
  return { ...sight, number: track.number, seenS: nowS, speedX, speedY };
}

function sightOf(box: Box, points: Points): Sight {
  const size = Math.max(box.width, box.height), x = box.left + box.width / 2, y = box.top + box.height / 2;
  const count = Math.ceil(points.length / 3 / EVERY), shape = new Float32Array(2 * count);
  for (let at = 0; at < count; at++) {
    shape[2 * at] = (points[3 * EVERY * at]! - x) / size;
    shape[2 * at + 1] = (points[3 * EVERY * at + 1]! - y) / size;
  }
  return { x, y, size, shape };
}
