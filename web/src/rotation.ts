/**
 * The rotation nearest to a 3 x 3 matrix, by Horn's quaternion (Horn, JOSA A 4(4), 1987): its largest eigenvector, found by
 * Jacobi's rotations. It is never a mirror image.
 */

/** Row by row. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

/** For `product = sum b_i a_i^T` the rotation that turns the `a_i` best onto the `b_i`. */
export function nearestRotation(product: Matrix3): Matrix3 {
  const [xx, yx, zx, xy, yy, zy, xz, yz, zz] = product; // S = product^T: first letter of a, second of b
  const [w, x, y, z] = largestEigenvector([
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ]);
  return [
    w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z,
  ];
}

function largestEigenvector(matrix: number[][]): [number, number, number, number] {
  const vectors = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0, size = 0;
    for (let p = 0; p < 4; p++) for (let q = 0; q < 4; q++) (p === q ? (size += matrix[p]![q]! ** 2) : (off += matrix[p]![q]! ** 2));
    if (!(off > 1e-30 * size)) break;
    for (let p = 0; p < 3; p++) for (let q = p + 1; q < 4; q++) rotate(matrix, vectors, p, q);
  }
  let best = 0;
  for (let i = 1; i < 4; i++) if (matrix[i]![i]! > matrix[best]![best]!) best = i;
  return vectors.map((row) => row[best]!) as [number, number, number, number];
}

function rotate(matrix: number[][], vectors: number[][], p: number, q: number): void {
  const value = matrix[p]![q]!;
  if (value === 0) return;
  const theta = (matrix[q]![q]! - matrix[p]![p]!) / (2 * value);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1), sine = tangent * cosine;
  for (let k = 0; k < 4; k++) {
    const row = matrix[k]!, a = row[p]!, b = row[q]!;
    row[p] = cosine * a - sine * b;
    row[q] = sine * a + cosine * b;
  }
  const first = matrix[p]!, second = matrix[q]!;
  for (let k = 0; k < 4; k++) {
    const a = first[k]!, b = second[k]!;
    first[k] = cosine * a - sine * b;
    second[k] = sine * a + cosine * b;
    const row = vectors[k]!, u = row[p]!, v = row[q]!;
    row[p] = cosine * u - sine * v;
    row[q] = sine * u + cosine * v;
  }
}
