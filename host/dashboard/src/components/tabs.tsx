// One of several, by click or arrow keys (the ARIA pattern "tabs").
import type { KeyboardEvent } from "react";

export function Tabs({
  name,
  tabs,
  shown,
  onShow,
}: {
  name: string;
  tabs: string[];
  shown: string;
  onShow: (tab: string) => void;
}) {
  const move = (event: KeyboardEvent<HTMLElement>): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const index = (tabs.indexOf(shown) + step + tabs.length) % tabs.length;
    const tab = tabs[index];
    if (tab === undefined) return;
    onShow(tab);
    event.currentTarget.querySelectorAll<HTMLElement>("[role=tab]")[index]?.focus();
  };
  return (
    <div role="tablist" aria-label={name} tabIndex={-1} onKeyDown={move} className="flex flex-wrap gap-0.5">
      {tabs.map((tab) => (
        <button
          key={tab}
          type="button"
          role="tab"
          aria-selected={tab === shown}
          tabIndex={tab === shown ? 0 : -1}
          onClick={() => onShow(tab)}
          className="rounded-[6px] px-2 py-1 text-sm text-muted hover:bg-sunken aria-selected:bg-sunken aria-selected:font-medium aria-selected:text-ink"
        >
          {tab}
        </button>
      ))}
    </div>
  );
}
