import { useState } from "react";
import { notify } from "./notices";
import { Icon } from "./icon";

// The clipboard's interface is there on https and on this machine only; elsewhere the old way still works.
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    // Beside an open dialog nothing of the page can be selected.
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function Copy({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <button
      type="button"
      title={`Copy ${what}`}
      aria-label={`Copy ${what}`}
      className="rounded p-1.25 align-middle text-muted hover:bg-sunken hover:text-ink"
      onClick={() => {
        void copy(text).then((done) => {
          setCopied(done);
          if (done) setTimeout(() => setCopied(false), 1_500);
          else notify("bad", "The browser does not let this page copy.");
        });
      }}
    >
      <Icon name={copied ? "check" : "copy"} size={14} />
    </button>
  );
}
