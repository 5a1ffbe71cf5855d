// @vitest-environment jsdom
import { cleanup, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { Badge } from "../components/badge";
import { Button } from "../components/button";
import { Card } from "../components/card";
import { Select } from "../components/select";
import { useTitle } from "../lib/title";

afterEach(cleanup);

const evil = "to \u202eevil";
const seen = "to ⟨U+202E⟩evil";

test("every text of an element shows what nobody would see, however it stands in it", () => {
  const { container } = render(
    <ul>
      <li>{evil}</li>
      <li>
        {evil} and <b>{evil}</b>
      </li>
      <li>{[evil, [evil]]}</li>
      <>{evil}</>
      <svg>
        <title>{evil}</title>
        <text>{`${evil}!`}</text>
      </svg>
    </ul>,
  );
  expect(container.textContent).not.toContain("\u202e");
  expect(container.textContent.split(seen)).toHaveLength(9);
});

test("so do attributes that are read or said; what is typed, and addresses, are as they are", () => {
  const { container } = render(
    <>
      <img src="data:," alt={evil} title={evil} aria-label={evil} />
      <input placeholder={evil} defaultValue={evil} />
      <a href={`/tasks?q=${encodeURIComponent(evil)}`}>x</a>
      <textarea defaultValue={evil} />
      <select defaultValue={evil}>
        <option value={evil}>{evil}</option>
      </select>
    </>,
  );
  const image = container.querySelector("img");
  expect([image?.alt, image?.title, image?.getAttribute("aria-label")]).toEqual([seen, seen, seen]);
  expect(container.querySelector("input")?.placeholder).toBe(seen);
  expect(container.querySelector("input")?.value).toBe(evil);
  expect(container.querySelector("textarea")?.value).toBe(evil);
  expect(container.querySelector("select")?.value).toBe(evil);
  expect(container.querySelector("option")?.textContent).toBe(seen);
  expect(container.querySelector("a")?.getAttribute("href")).toBe("/tasks?q=to%20%E2%80%AEevil");
});

function Titled({ children }: { children: ReactNode }) {
  useTitle(evil);
  return children;
}

test("so do components, and the title of the page", () => {
  const { container } = render(
    <Titled>
      <Card title={evil} note={evil} aside={<Badge tone="good">{evil}</Badge>}>
        <Button aria-label={evil}>{evil}</Button>
        <Select name={evil} value={evil} options={[[evil, evil]]} onChange={vi.fn()} />
      </Card>
    </Titled>,
  );
  expect(container.textContent).not.toContain("\u202e");
  for (const element of container.querySelectorAll("*"))
    expect(element.getAttribute("aria-label") ?? "").not.toContain("\u202e");
  expect(document.title).toBe(`${seen} · davit`);
});

test("what has nothing to show is the same object", () => {
  const names = ["a", "b"];
  const { props } = <ul title="t">{names}</ul>;
  expect((props as { children: unknown }).children).toBe(names);
});
