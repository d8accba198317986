/** SHA-256 in hex: the browser's own, or where a page from plain HTTP is not given it, FIPS 180-4 written out. */
export async function sha256(content: Uint8Array): Promise<string> {
  const digest = globalThis.crypto?.subtle
    ? new Uint8Array(await crypto.subtle.digest("SHA-256", content as Uint8Array<ArrayBuffer>))
    : computed(content);
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const PRIMES = primes(64);
const ROUNDS = Uint32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

function primes(count: number): number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number++) if (found.every((prime) => number % prime)) found.push(number);
  return found;
}

/** The first 32 bits behind the point. */
function fraction(value: number): number {
  return Math.floor((value - Math.floor(value)) * 2 ** 32);
}

export function computed(content: Uint8Array): Uint8Array {
  const length = (Math.ceil((content.length + 9) / 64)) * 64, padded = new Uint8Array(length), view = new DataView(padded.buffer);
  padded.set(content);
  padded[content.length] = 0x80;
  view.setBigUint64(length - 8, BigInt(content.length) * 8n);
  const state = Uint32Array.from(START), words = new Uint32Array(64);
  const turn = (value: number, bits: number): number => (value >>> bits) | (value << (32 - bits));
  for (let block = 0; block < length; block += 64) {
    for (let at = 0; at < 16; at++) words[at] = view.getUint32(block + 4 * at);
    for (let at = 16; at < 64; at++) {
      const a = words[at - 15]!, b = words[at - 2]!;
      words[at] = words[at - 16]! + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + words[at - 7]! + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let at = 0; at < 64; at++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[at]! + words[at]!) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, at) => (state[at]! += value));
  }
  const digest = new Uint8Array(32), out = new DataView(digest.buffer);
  state.forEach((value, at) => out.setUint32(4 * at, value));
  return digest;
}
