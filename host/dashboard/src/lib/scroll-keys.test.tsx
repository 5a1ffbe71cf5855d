// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { useScrollKeys } from "./scroll-keys";

afterEach(cleanup);

function Shown({ dialog = false }: { dialog?: boolean }) {
  useScrollKeys();
  return (
    <main tabIndex={-1}>
      <div data-scroll tabIndex={-1} data-testid="page">
        <div data-scroll tabIndex={-1} data-testid="list">
          <input aria-label="Search" />
        </div>
      </div>
      <dialog open={dialog} />
    </main>
  );
}

const list = () => screen.getByTestId("list");

test.each(["PageDown", "PageUp", "Home", "End", "ArrowDown", "ArrowUp", " "])("%j brings the focus into the page", async (key) => {
  render(<Shown />);
  await userEvent.keyboard(`{${key}}`);
  expect(document.activeElement).toBe(list());
});

test("from the page as a whole, too, as it has the focus behind a link", async () => {
  render(<Shown />);
  screen.getByRole("main").focus();
  await userEvent.keyboard("{PageDown}");
  expect(document.activeElement).toBe(list());
});

test("other keys, what has the focus already, and a dialog keep it where it is", async () => {
  const { rerender } = render(<Shown />);
  await userEvent.keyboard("j{Control>}{End}{/Control}");
  expect(document.activeElement).toBe(document.body);
  screen.getByLabelText("Search").focus();
  await userEvent.keyboard("{ArrowDown}{End}");
  expect(document.activeElement).toBe(screen.getByLabelText("Search"));
  screen.getByLabelText("Search").blur();
  rerender(<Shown dialog />);
  await userEvent.keyboard("{PageDown}");
  expect(document.activeElement).toBe(document.body);
});
