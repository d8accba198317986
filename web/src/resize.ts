/** A picture made smaller by area, as OpenCV's `INTER_AREA` does where the sizes are no whole multiples. */
import { Picture, emptyPicture, roundHalfEven, shrink } from "./picture";

interface Share {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

export function resizeByArea(picture: Picture, width: number, height: number): Picture {
  const across = picture.width / width, down = picture.height / height;
  if (across === 1 && down === 1) return picture;
  if (across === down && Number.isInteger(across)) return shrink(picture, across, width, height);
  if (across < 1 || down < 1) return resizeLinear(picture, width, height);
  const columns = shares(picture.width, width, across), rows = shares(picture.height, height, down);
  const small = emptyPicture(width, height), sums = new Float32Array(3 * width), line = new Float32Array(3 * width);
  let at = 0;
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (; at < rows.length && rows[at]!.to === y; at++) {
      const { from, weight } = rows[at]!;
      line.fill(0);
      for (const column of columns) {
        const source = 4 * (from * picture.width + column.from), target = 3 * column.to;
        for (let k = 0; k < 3; k++) line[target + k]! += Math.fround(picture.data[source + k]! * column.weight);
      }
      for (let k = 0; k < sums.length; k++) sums[k]! += Math.fround(weight * line[k]!);
    }
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < 3; k++) small.data[4 * (y * width + x) + k] = roundHalfEven(sums[3 * x + k]!);
    }
  }
  return small;
}

/** How much of each pixel goes into each pixel of the smaller picture, along one direction. */
function shares(length: number, smaller: number, scale: number): Share[] {
  const found: Share[] = [];
  for (let to = 0; to < smaller; to++) {
    const low = to * scale, high = low + scale, cell = Math.min(scale, length - low);
    let first = Math.ceil(low), last = Math.min(Math.floor(high), length - 1);
    first = Math.min(first, last);
    if (first - low > 1e-3) found.push({ from: first - 1, to, weight: Math.fround((first - low) / cell) });
    for (let from = first; from < last; from++) found.push({ from, to, weight: Math.fround(1 / cell) });
    if (high - last > 1e-3) {
      found.push({ from: last, to, weight: Math.fround(Math.min(Math.min(high - last, 1), cell) / cell) });
    }
  }
  return found;
}

/** What `INTER_AREA` is where a picture grows in one direction; only pictures below 128 pixels do here. */
function resizeLinear(picture: Picture, width: number, height: number): Picture {
  const grown = emptyPicture(width, height), across = picture.width / width, down = picture.height / height;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [x0, x1, fx] = between(x, across, picture.width), [y0, y1, fy] = between(y, down, picture.height);
      for (let k = 0; k < 3; k++) {
        const value = (u: number, v: number): number => picture.data[4 * (v * picture.width + u) + k]!;
        const upper = value(x0, y0) * (1 - fx) + value(x1, y0) * fx, lower = value(x0, y1) * (1 - fx) + value(x1, y1) * fx;
        grown.data[4 * (y * width + x) + k] = Math.round(upper * (1 - fy) + lower * fy);
      }
    }
  }
  return grown;
}

function between(to: number, scale: number, length: number): [number, number, number] {
  const first = Math.floor(to * scale);
  const share = to + 1 - (first + 1) / scale, rest = share <= 0 ? 0 : share - Math.floor(share);
  return [Math.min(first, length - 1), Math.min(first + 1, length - 1), rest];
}
