/** Names of the Facial Action Coding System, and the words for reasons. */
import facts from "./facts.json";
import type { Reason } from "./quality";

/** `AU12` gives `Lip corner puller`; a free label keeps itself. */
export function facsName(label: string): string {
  const found = /^AU(\d+)([LR]?)$/.exec(label), name = found && (facts.names as Record<string, string>)[found[1]!];
  if (!found || !name) return label;
  return name + ({ L: ", left", R: ", right" }[found[2]!] ?? "");
}

export function meaningOf(reason: Reason): string {
  return facts.reasons[reason];
}
