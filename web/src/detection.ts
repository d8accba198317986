/** Faces in a whole frame, or in its tiles: MediaPipe's short-range detector (`edgeau.faces.landmarks.litert.detection`). */
import { Network } from "./engine";
import facts from "./facts.json";
import { probability } from "./probability";
import { Picture, cut, roundHalfEven, turned } from "./picture";
import { Region, cropRegion, regionAround } from "./region";
import { resizeByArea } from "./resize";

const SIZE = 128, MAPS = [[16, 2], [8, 6]] as const, ROW = 16, BOX = 4, SAME_FACE = 0.3;
const TILES = facts.search.tiles, SHARED = facts.search.shared;
// A region is 1.5 times as wide as the box of its face; so much of it is face whichever way it is turned.
const FACE = facts.search.face;

/** A whole frame as the detector looks at it: its region, and a picture of 128 x 128 pixels. */
export interface Overview {
  readonly region: Region;
  readonly picture: Picture;
}

export function overviewOf(frame: Picture): Overview {
  const region: Region = { x: frame.width / 2, y: frame.height / 2, side: Math.max(frame.width, frame.height), angle: 0 };
  return { region, picture: cropRegion(frame, region, SIZE, 0) };
}

export interface Candidate {
  readonly region: Region;
  readonly score: number;
  /** Only a part of the frame was looked at; more of these are no faces. */
  readonly fromTile: boolean;
}

/** Upper left and lower right corner of the box, then six points: x y each, shares of the picture that was looked at. */
export interface FoundFace {
  readonly places: readonly number[];
  readonly score: number;
}

/** x y of each box's centre in shares of the detector's input, in the order of its outputs. */
const ANCHORS = anchors();

function anchors(): Float32Array {
  const places: number[] = [];
  for (const [cells, boxes] of MAPS) {
    for (let y = 0; y < cells; y++) {
      for (let x = 0; x < cells; x++) {
        for (let box = 0; box < boxes; box++) places.push((x + 0.5) / cells, (y + 0.5) / cells);
      }
    }
  }
  return Float32Array.from(places);
}

// Rounds to float32 where Python does, so that a region, and all that is cut out by it, is the same to the bit.
const f = Math.fround;

const NORMALIZED = Float32Array.from({ length: 256 }, (_, value) => Math.fround(Math.fround(value / 127.5) - 1));

export const DETECTOR_ENDS = { inputs: ["input"], outputs: ["regressors", "classificators"] };

export class FaceDetector {
  private readonly input = new Float32Array(SIZE * SIZE * 3);

  constructor(private readonly network: Network) {}

  /** Faces in the whole frame, turned anticlockwise by quarters before, the surest first. */
  detect(frame: Picture, quarterTurns = 0): Promise<Candidate[]> {
    return this.detectInOverview(overviewOf(frame), quarterTurns);
  }

  async detectInOverview({ region, picture }: Overview, quarterTurns = 0): Promise<Candidate[]> {
    const faces = await this.faces(picture, quarterTurns), { x, y, side } = region;
    return faces.map((face) => candidate(face, side, x - side / 2, y - side / 2, 1, false));
  }

  /**
   * Faces in overlapping parts of the frame, the surest first; one face may come several times. Tiles that show nothing but a known
   * face are left out.
   */
  async detectInTiles(frame: Picture, quarterTurns = 0, known: readonly Region[] = []): Promise<Candidate[]> {
    const found: Candidate[] = [];
    for (const share of TILES) {
      const side = Math.max(share * Math.max(frame.width, frame.height), SIZE), scale = SIZE / side;
      const width = Math.max(1, roundHalfEven(frame.width * scale)), height = Math.max(1, roundHalfEven(frame.height * scale));
      const small = resizeByArea(frame, width, height);
      for (const [left, top] of tileCorners(width, height)) {
        const x = (left + SIZE / 2) / scale, y = (top + SIZE / 2) / scale;
        if (known.some((region) => isInside(x, y, SIZE / scale, region))) continue;
        for (const face of await this.faces(cut(small, left, top, SIZE), quarterTurns)) found.push(candidate(face, SIZE, left, top, 1 / scale, true));
      }
    }
    return found.sort((one, other) => other.score - one.score);
  }

  private async faces(picture: Picture, quarterTurns: number): Promise<FoundFace[]> {
    const { data } = turned(picture, quarterTurns), input = this.input;
    for (let pixel = 0, to = 0; pixel < SIZE * SIZE; pixel++) {
      for (let k = 0; k < 3; k++) input[to++] = NORMALIZED[data[4 * pixel + k]!]!;
    }
    const [rows, scores] = await this.network.run(input);
    return decode(rows!, scores!).map((face) => turnedBack(face, quarterTurns));
  }
}

/** Tell whether a tile around a point shows a face of a region but for its rims, which its neighbours show too. */
function isInside(x: number, y: number, side: number, region: Region): boolean {
  const inner = (side * (1 - SHARED)) / 2;
  return Math.max(Math.abs(x - region.x), Math.abs(y - region.y)) + inner <= (region.side * FACE) / 2;
}

/** Left upper corners of the tiles that cover a picture. */
function tileCorners(width: number, height: number): [number, number][] {
  const step = SIZE * (1 - SHARED);
  const [across, down] = [width, height].map((length) => {
    if (length <= SIZE) return [0];
    const steps = Math.ceil((length - SIZE) / step);
    return Array.from({ length: 1 + steps }, (_, at) => roundHalfEven(((length - SIZE) * at) / steps));
  });
  return down!.flatMap((top) => across!.map((left): [number, number] => [left, top]));
}

function candidate(
  face: FoundFace, side: number, left: number, top: number, scale: number, fromTile: boolean,
): Candidate {
  const at = face.places.map((share, index) => (f(share * side) + (index % 2 ? top : left)) * scale);
  const region = regionAround(at[0]!, at[1]!, at[2]!, at[3]!, [at[4]!, at[5]!], [at[6]!, at[7]!]);
  return { region, score: face.score, fromTile };
}

/** A face found in a picture that was turned anticlockwise, in shares of the picture as it was. */
function turnedBack(face: FoundFace, quarterTurns: number): FoundFace {
  let places = [...face.places];
  for (let turn = 0; turn < quarterTurns % 4; turn++) {
    places = places.map((_, at) => (at % 2 === 0 ? f(1 - places[at + 1]!) : places[at - 1]!));
  }
  const [x0, y0, x1, y1] = places as [number, number, number, number];
  places.splice(0, 4, Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1));
  return { places, score: face.score };
}

function decode(rows: Float32Array, logits: Float32Array): FoundFace[] {
  const faces: FoundFace[] = [];
  for (let anchor = 0; anchor < logits.length; anchor++) {
    if (!(logits[anchor]! >= 0)) continue; // a score of 0.5
    const x = ANCHORS[2 * anchor]!, y = ANCHORS[2 * anchor + 1]!, row = rows.subarray(ROW * anchor, ROW * (anchor + 1));
    const middleX = f(row[0]! / SIZE + x), middleY = f(row[1]! / SIZE + y), halfX = row[2]! / SIZE / 2, halfY = row[3]! / SIZE / 2;
    const places = [f(middleX - halfX), f(middleY - halfY), f(middleX + halfX), f(middleY + halfY)];
    for (let at = BOX; at < ROW; at += 2) places.push(f(row[at]! / SIZE + x), f(row[at + 1]! / SIZE + y));
    faces.push({ places, score: f(probability(logits[anchor]!)) });
  }
  return merge(faces);
}

/** A sum of float32 in numpy's order: from eight values on eight sums side by side. */
function sumOf(values: readonly number[]): number {
  if (values.length < 8) return values.reduce((sum, value) => f(sum + value), 0);
  const sums = values.slice(0, 8), whole = values.length - (values.length % 8);
  for (let at = 8; at < whole; at++) sums[at % 8] = f(sums[at % 8]! + values[at]!);
  const pair = (at: number): number => f(sums[at]! + sums[at + 1]!);
  return values.slice(whole).reduce((sum, value) => f(sum + value), f(f(pair(0) + pair(2)) + f(pair(4) + pair(6))));
}

/** One face where several boxes lie on each other: their mean, weighted by their scores. */
function merge(faces: FoundFace[]): FoundFace[] {
  let rest = [...faces].sort((one, other) => other.score - one.score);
  const merged: FoundFace[] = [];
  while (rest.length) {
    const first = rest[0]!, same: FoundFace[] = [], others: FoundFace[] = [];
    rest.forEach((face, at) => (at === 0 || boxOverlap(first, face) > SAME_FACE ? same : others).push(face));
    const total = sumOf(same.map((face) => face.score)), weights = same.map((face) => f(face.score / total));
    const places = first.places.map((_, at) => same.reduce((sum, face, row) => f(sum + f(face.places[at]! * weights[row]!)), 0));
    merged.push({ places, score: first.score });
    rest = others;
  }
  return merged;
}

function boxOverlap(one: FoundFace, other: FoundFace): number {
  const [a0, b0, a1, b1] = one.places as [number, number, number, number];
  const [c0, d0, c1, d1] = other.places as [number, number, number, number];
  const area = (width: number, height: number): number => Math.max(width, 0) * Math.max(height, 0);
  const shared = area(Math.min(a1, c1) - Math.max(a0, c0), Math.min(b1, d1) - Math.max(b0, d0));
  const joint = area(a1 - a0, b1 - b0) + area(c1 - c0, d1 - d0) - shared;
  return joint > 0 ? shared / joint : 0;
}
