// Lines of an execution as a page holds them: oldest first, none missing between. New ones come behind them, and who reads
// back gets those before.
import type { Transcript, TranscriptLine } from "./schema";

export const linesAtOnce = 1_000; // that are asked for
export const mostAtOnce = 5_000; // that an answer may have

// Where more come, the oldest go: a step at a time, so that reading back is not disturbed by every line that comes.
export const mostHeld = 20_000;
const step = 1_000;

export const linesOf = (transcript: Transcript | undefined): TranscriptLine[] => transcript?.executions[0]?.lines ?? [];

export function withLines(transcript: Transcript, lines: TranscriptLine[]): Transcript {
  const [execution, ...others] = transcript.executions;
  if (!execution || execution.lines === lines) return transcript;
  return { ...transcript, executions: [{ ...execution, lines }, ...others] };
}

// Behind those that are held.
export function appended(held: TranscriptLine[], news: TranscriptLine[]): TranscriptLine[] {
  const last = held.at(-1)?.number ?? 0;
  const all = [...held, ...news.filter((line) => line.number > last)];
  if (all.length === held.length) return held;
  return all.length > mostHeld + step ? all.slice(-mostHeld) : all;
}

// `earlier` is what was before the line `before`. Null where that is not the first one any more.
export function prepended(held: TranscriptLine[], earlier: TranscriptLine[], before: number): TranscriptLine[] | null {
  if (held[0]?.number !== before) return null;
  return earlier.length === 0 ? held : [...earlier, ...held];
}
