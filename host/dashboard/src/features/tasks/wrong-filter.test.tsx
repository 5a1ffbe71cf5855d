// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { ApiError } from "../../api/client";
import { ListError } from "./wrong-filter";

afterEach(cleanup);

const shown = (status: number, message: string): string => {
  render(<ListError error={new ApiError(status, message)} onRetry={() => undefined} />);
  return screen.getByRole("alert").textContent;
};

test.each([
  ["start_date must be before end_date", "From is later than To: choose an earlier day for From, or a later one for To."],
  ["q must have at most 200 characters", "What is searched for must have at most 200 characters: leave some out."],
  ["q: must have at most 16 words", "What is searched for must have at most 16 words: leave some out."],
])("%s is said in the words of the page", (message, sentence) => {
  expect(shown(400, message)).toBe(`Nothing can be found like that${sentence}`);
  expect(screen.queryByRole("button")).toBeNull(); // the same would come of it again
});

test.each([
  [503, "davit is busy"],
  [400, "link must be a text"],
])("anything else is davit's own sentence, and can be tried again", (status, message) => {
  expect(shown(status, message)).toContain(message);
  expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
});
