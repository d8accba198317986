/** The logistic function and its inverse. */
export function probability(logit: number): number {
  return 0.5 + 0.5 * Math.tanh(0.5 * logit);
}

export function logOdds(value: number): number {
  return Math.log(value) - Math.log1p(-value);
}
