// Characters that nobody sees, or that reorder what stands beside them: one reads and approves another text than the agent gets, or less
// than all of it. They are shown as what they are: ⟨U+202E⟩. Not those that have a part in what is seen: line ends, and signs that
// join or vary the letter or picture before them.
const hidden = /[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]/u;
const everyHidden = new RegExp(hidden, "gu");

const joins = /[\u200c\u200d]/u;
const varies = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u;
const variesPicture = /[\ufe0e\ufe0f]/u;

// Of a script whose letters join or vary, or a picture.
function isJoinable(sign: string): boolean {
  return /[\p{L}\p{M}\p{S}\p{Emoji}]/u.test(sign) && !/[\p{ASCII}\p{Script=Latin}\p{Default_Ignorable_Code_Point}]/u.test(sign);
}

// The sign that ends there, or none.
function before(text: string, end: number): string {
  const one = text.slice(Math.max(end - 1, 0), end);
  return /[\udc00-\udfff]/.test(one) ? text.slice(Math.max(end - 2, 0), end) : one;
}

function hasAPart(sign: string, text: string, at: number): boolean {
  if (sign === "\n" || sign === "\t") return true;
  if (sign === "\r") return text[at + 1] === "\n";
  if (joins.test(sign)) {
    const last = before(text, at);
    return isJoinable(last) || (variesPicture.test(last) && isJoinable(before(text, at - last.length)));
  }
  if (varies.test(sign)) {
    const last = before(text, at);
    return isJoinable(last) || (variesPicture.test(sign) && /\p{Emoji}/u.test(last));
  }
  return false;
}

const named = (sign: string): string => `⟨U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;

// Everything that stands on the page passes through here (src/jsx), and the title of the page (lib/title.ts).
export function visible(text: string): string {
  if (!hidden.test(text)) return text;
  return text.replace(everyHidden, (sign, at: number) => (hasAPart(sign, text, at) ? sign : named(sign)));
}
