// A table from davit, as a file.
import { useState } from "react";
import { downloadAll } from "../api/client";
import { save } from "../lib/save";
import { Button } from "./button";
import { notify } from "./notices";

export function ExportButton({ path, file, children }: { path: string; file: string; children: string }) {
  const [busy, setBusy] = useState(false);
  const load = async (): Promise<void> => {
    setBusy(true);
    try {
      save(await downloadAll(path), file);
    } catch (error) {
      notify("bad", error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon="download" disabled={busy} aria-label={`${children} file`} onClick={() => void load()}>
      {busy ? "Loading…" : children}
    </Button>
  );
}
