// 128 bits by chance, as hexadecimal digits. Not by randomUUID(), which a page without TLS does not have.
export function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
