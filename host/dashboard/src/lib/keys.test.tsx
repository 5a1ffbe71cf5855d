// @vitest-environment jsdom
import { cleanup, render } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { useShortcutSwitch, useShortcuts } from "./keys";

afterEach(cleanup);

function Switch() {
  const [on, setOn] = useShortcutSwitch();
  return <input aria-label="switch" type="checkbox" checked={on} onChange={(event) => setOn(event.target.checked)} />;
}

function Page({ act, two }: { act: () => void; two: () => void }) {
  useShortcuts({ a: act, Enter: act, "g t": two });
  return (
    <>
      <button type="button" onClick={two}>
        press
      </button>
      <a href="#there">go</a>
      <input aria-label="field" />
      <input aria-label="box" type="checkbox" />
    </>
  );
}

function page() {
  const act = vi.fn();
  const two = vi.fn();
  return { act, two, ...render(<Page act={act} two={two} />) };
}

test("a key acts, and two in a row do", async () => {
  const { act, two } = page();
  await userEvent.keyboard("agt");
  expect([act.mock.calls.length, two.mock.calls.length]).toEqual([1, 1]);
});

test("no key acts while one types, with Ctrl, or beside an open dialog", async () => {
  const { act, getByLabelText } = page();
  await userEvent.type(getByLabelText("field"), "a");
  (document.activeElement as HTMLElement).blur();
  await userEvent.keyboard("{Control>}a{/Control}");
  const dialog = document.createElement("dialog");
  dialog.setAttribute("open", "");
  document.body.append(dialog);
  await userEvent.keyboard("a");
  dialog.remove();
  expect(act).not.toHaveBeenCalled();
});

test("a box that is ticked takes no key from the page", async () => {
  const { act, getByLabelText } = page();
  await userEvent.click(getByLabelText("box"));
  await userEvent.keyboard("a");
  expect(act).toHaveBeenCalledOnce();
});

test("behind a g no key is one by itself, also where there is nothing for the two", async () => {
  const { act, two } = page();
  await userEvent.keyboard("ga");
  expect([act.mock.calls.length, two.mock.calls.length]).toEqual([0, 0]);
  await userEvent.keyboard("a");
  expect(act).toHaveBeenCalledOnce();
});

test("Enter presses the button and follows the link that one is on, and acts anywhere else", async () => {
  const { act, two, getByRole } = page();
  getByRole("button").focus();
  await userEvent.keyboard("{Enter}");
  expect([act.mock.calls.length, two.mock.calls.length]).toEqual([0, 1]);
  getByRole("link").focus();
  await userEvent.keyboard("{Enter}");
  expect([act.mock.calls.length, location.hash]).toEqual([0, "#there"]);
  getByRole("link").blur();
  await userEvent.keyboard("{Enter}");
  expect(act).toHaveBeenCalledOnce();
});

test("no key acts while they are switched off, which the browser keeps", async () => {
  const { act, two } = page();
  const { getByLabelText } = render(<Switch />);
  await userEvent.click(getByLabelText("switch"));
  await userEvent.keyboard("agt{Enter}");
  expect([act.mock.calls.length, two.mock.calls.length]).toEqual([0, 0]);
  vi.resetModules();
  const again = await import("./keys");
  function Reloaded() {
    return <output>{String(again.useShortcutSwitch()[0])}</output>;
  }
  expect(render(<Reloaded />).getByText("false")).toBeTruthy();
  await userEvent.click(getByLabelText("switch"));
  await userEvent.keyboard("a");
  expect(act).toHaveBeenCalledOnce();
});
