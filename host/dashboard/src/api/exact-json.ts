// JSON as it was written: JSON.parse() rounds integers beyond 2^53 and fractions of many digits, and nobody should approve another
// amount than the one that the agent gets. Such a number keeps its source text.
import { randomHex } from "./random";

// Counts as the number nearest to it, so that it may stand wherever a number does; written it is as it was read.
export class ExactNumber extends Number {
  constructor(readonly source: string) {
    super(source);
  }
  // As a number where the browser can write it so (JSON.rawJSON), else as a text of the same digits.
  toJSON(): unknown {
    const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
    return rawJSON ? rawJSON(this.source) : this.source;
  }
  override toString(): string {
    return this.source;
  }
}

const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

// Sign, digits and exponent, in one way of the many in which a number can be written.
function canonical(number: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  return kept === "" ? "0" : `${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`;
}

const isRounded = (number: string): boolean => canonical(number) !== canonical(String(Number(number)));

// Of the numbers that a rounding one is among: of sixteen digits or more, or far from one. Nearly every text has none, and is read once.
const suspicious = /(?:^|[\s:,[])-?(?:\d[\d.]{15}|[\d.]+[eE][+-]?\d{3})/;

// JSON.parse(), with an ExactNumber in the place of each number that it would change.
export function parseExactly(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (!suspicious.test(text)) return parsed;
  let mark = "";
  const marked = text.replace(stringOrNumber, (token) => {
    if (token.startsWith('"') || !isRounded(token)) return token;
    // By chance, so that no text can pass for it.
    mark ||= randomHex();
    return `"${mark}${token}"`;
  });
  if (mark === "") return parsed;
  return JSON.parse(marked, (_name, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? new ExactNumber(value.slice(mark.length)) : value,
  );
}

// Whether writing it anew would change a number of it.
export function hasRounded(text: string): boolean {
  return (text.match(stringOrNumber) ?? []).some((token) => !token.startsWith('"') && isRounded(token));
}
