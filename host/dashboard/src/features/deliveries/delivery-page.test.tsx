// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import type { DeliveryDetail } from "../../api/schema";
import { Body } from "./delivery-page";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

test("of a body that is too long to be shown the rest is said to be left out, and all of it is saved as it came", async () => {
  const body = `no JSON ${"\u202eä".repeat(200_000)} its end`;
  const saved: Blob[] = [];
  const names: string[] = [];
  const { createObjectURL } = URL;
  URL.createObjectURL = (content) => `blob:${saved.push(content as Blob)}`;
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    names.push(this.download);
  });
  render(<Body delivery={{ delivery_id: "d1", body, body_bytes: 1_000_017 } as DeliveryDetail} />);
  expect(document.querySelector("pre")?.textContent).toMatch(/the rest is not shown: save it to have all 976\.6 KiB$/);
  await userEvent.click(screen.getByRole("button", { name: "Save the body" }));
  URL.createObjectURL = createObjectURL;
  expect(names).toEqual(["delivery-d1.txt"]);
  const bytes = await new Promise<ArrayBuffer>((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.readAsArrayBuffer(saved[0] as Blob);
  });
  expect(new TextDecoder().decode(bytes) === body).toBe(true);
});
