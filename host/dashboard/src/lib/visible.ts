// Characters that set the direction of text reorder what stands beside them, so that one reads and approves another line than
// the agent gets. They are shown as what they are.
export function visible(text: string): string {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, (sign) => `⟨U+${sign.charCodeAt(0).toString(16).toUpperCase()}⟩`);
}
