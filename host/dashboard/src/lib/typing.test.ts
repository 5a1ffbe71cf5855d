import { expect, test } from "vitest";
import { makeTyping } from "./typing";

test("what is typed at one go is one entry; after a pause, or when one comes back to it, it is another", () => {
  let now = 0;
  const typing = makeTyping(() => now);
  const at = (time: number): boolean => {
    now = time;
    return typing.next();
  };
  expect([at(10_000), at(10_300), at(12_200), at(14_000)]).toEqual([false, true, true, true]);
  expect([at(16_000), at(16_300)]).toEqual([false, true]);
  typing.end();
  expect([at(16_400), at(16_700)]).toEqual([false, true]);
});
