/**
 * Warps as OpenCV draws them: places in 1/32 pixel, weights as whole numbers. A canvas rounds otherwise, by up to
 * 16 levels, which moves the probabilities of an INT8 network by some hundredths.
 */
import { Picture, emptyPicture, halved, powerOfTwo, roundHalfEven } from "./picture";

/** Row by row `a b x c d y`: maps (u, v) to (a u + b v + x, c u + d v + y). */
export type Affine = readonly [number, number, number, number, number, number];

export type Border = number | "replicate";

const SUBPIXELS = 5, STEPS = 1 << SUBPIXELS, SCALE = 1024;
// The weights of four pixels are whole numbers that sum to 1024: OpenCV's of 1/32768 are these times 32.
const SHARES = 2 * SUBPIXELS, HALF = 1 << (SHARES - 1);

/** Warp a frame to a crop: bilinear, after shrinking by area where the frame is much larger (`edgeau.faces.warp`). */
export function warpCrop(frame: Picture, affine: Affine, width: number, height: number, border: number): Picture {
  const [a, b, x, c, d, y] = affine;
  const factor = powerOfTwo(1 / Math.hypot(a, c));
  const [left, top, right, bottom] = seen(affine, width, height, 2 * factor);
  const partWidth = Math.floor((Math.min(right, frame.width) - left) / factor);
  const partHeight = Math.floor((Math.min(bottom, frame.height) - top) / factor);
  if (partWidth <= 0 || partHeight <= 0) return filled(width, height, border);
  const part = halved(frame, factor, partWidth, partHeight, left, top);
  const firstX = left + (factor - 1) / 2, firstY = top + (factor - 1) / 2;
  return warpAffine(
    part,
    [a * factor, b * factor, a * firstX + b * firstY + x, c * factor, d * factor, c * firstX + d * firstY + y],
    width, height, border,
  );
}

function filled(width: number, height: number, value: number): Picture {
  const picture = emptyPicture(width, height);
  picture.data.fill(value);
  return picture;
}

/** The part of a frame that a crop shows, with a margin: left and top, 0 or more, and right and bottom, outside. */
function seen(affine: Affine, width: number, height: number, margin: number): [number, number, number, number] {
  const [a, b, x, c, d, y] = affine;
  const determinant = a * d - b * c;
  const across: number[] = [], down: number[] = [];
  for (const u of [0, width]) {
    for (const v of [0, height]) {
      across.push((d * (u - x) - b * (v - y)) / determinant);
      down.push((a * (v - y) - c * (u - x)) / determinant);
    }
  }
  return [
    Math.max(Math.floor(Math.min(...across)) - margin, 0),
    Math.max(Math.floor(Math.min(...down)) - margin, 0),
    Math.ceil(Math.max(...across)) + margin,
    Math.ceil(Math.max(...down)) + margin,
  ];
}

/** `cv2.warpAffine` with `INTER_LINEAR` and a forward matrix. */
export function warpAffine(picture: Picture, affine: Affine, width: number, height: number, border: Border): Picture {
  const [a, b, x, c, d, y] = affine;
  const determinant = a * d - b * c, inverse = determinant !== 0 ? 1 / determinant : 0;
  const m0 = d * inverse, m1 = b * -inverse, m3 = c * -inverse, m4 = a * inverse;
  const shiftX = -m0 * x - m1 * y, shiftY = -m3 * x - m4 * y;
  const alongX = new Int32Array(width), alongY = new Int32Array(width);
  for (let u = 0; u < width; u++) {
    alongX[u] = roundHalfEven(m0 * u * SCALE);
    alongY[u] = roundHalfEven(m3 * u * SCALE);
  }
  const out = emptyPicture(width, height), places = new Int32Array(2 * width);
  for (let v = 0; v < height; v++) {
    const rowX = roundHalfEven((m1 * v + shiftX) * SCALE) + SCALE / STEPS / 2;
    const rowY = roundHalfEven((m4 * v + shiftY) * SCALE) + SCALE / STEPS / 2;
    for (let u = 0; u < width; u++) {
      places[2 * u] = (rowX + alongX[u]!) >> SUBPIXELS;
      places[2 * u + 1] = (rowY + alongY[u]!) >> SUBPIXELS;
    }
    drawRow(picture, places, border, out, v);
  }
  return out;
}

/** `cv2.warpPerspective` with `INTER_LINEAR` to a square; `matrix` maps places of the crop to places of the picture. */
export function warpPerspective(picture: Picture, matrix: readonly number[], size: number, border: Border): Picture {
  const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = matrix as [
    number, number, number, number, number, number, number, number, number,
  ];
  const out = emptyPicture(size, size), places = new Int32Array(2 * size);
  for (let v = 0; v < size; v++) {
    for (let u = 0; u < size; u++) {
      const depth = m6 * u + m7 * v + m8, w = depth !== 0 ? STEPS / depth : 0;
      places[2 * u] = roundHalfEven((m0 * u + m1 * v + m2) * w);
      places[2 * u + 1] = roundHalfEven((m3 * u + m4 * v + m5) * w);
    }
    drawRow(picture, places, border, out, v);
  }
  return out;
}

/** One row of bilinear pixels; the places x, y are given in 1/32 pixel. Every pixel of a frame's crops passes here. */
function drawRow(picture: Picture, places: Int32Array, border: Border, out: Picture, row: number): void {
  const { data, width, height } = picture, pixels = out.data, right = width - 1, bottom = height - 1, below = 4 * width;
  for (let u = 0, to = 4 * row * out.width; u < out.width; u++, to += 4) {
    const x32 = places[2 * u]!, y32 = places[2 * u + 1]!;
    const x = x32 >> SUBPIXELS, y = y32 >> SUBPIXELS, fx = x32 & (STEPS - 1), fy = y32 & (STEPS - 1);
    const w00 = (STEPS - fx) * (STEPS - fy), w01 = fx * (STEPS - fy), w10 = (STEPS - fx) * fy, w11 = fx * fy;
    if (x >= 0 && y >= 0 && x < right && y < bottom) {
      const a = below * y + 4 * x, b = a + below;
      pixels[to] = (data[a]! * w00 + data[a + 4]! * w01 + data[b]! * w10 + data[b + 4]! * w11 + HALF) >> SHARES;
      pixels[to + 1] = (data[a + 1]! * w00 + data[a + 5]! * w01 + data[b + 1]! * w10 + data[b + 5]! * w11 + HALF) >> SHARES;
      pixels[to + 2] = (data[a + 2]! * w00 + data[a + 6]! * w01 + data[b + 2]! * w10 + data[b + 6]! * w11 + HALF) >> SHARES;
      continue;
    }
    for (let k = 0; k < 3; k++) {
      const sum = at(picture, x, y, k, border) * w00 + at(picture, x + 1, y, k, border) * w01
        + at(picture, x, y + 1, k, border) * w10 + at(picture, x + 1, y + 1, k, border) * w11;
      pixels[to + k] = (sum + HALF) >> SHARES;
    }
  }
}

function at(picture: Picture, x: number, y: number, channel: number, border: Border): number {
  const { width, height } = picture;
  if (x < 0 || y < 0 || x >= width || y >= height) {
    if (border !== "replicate") return border;
    x = Math.min(Math.max(x, 0), width - 1);
    y = Math.min(Math.max(y, 0), height - 1);
  }
  return picture.data[4 * (y * width + x) + channel]!;
}
