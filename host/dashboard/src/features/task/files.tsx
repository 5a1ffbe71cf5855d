// What executions left: files to look at, or to save. Shown as text, whatever they say they are.
import { useState } from "react";
import { download } from "../../api/client";
import { useLive } from "../../api/live";
import { artifacts } from "../../api/queries";
import type { Artifacts } from "../../api/schema";
import { Button } from "../../components/button";
import { Card } from "../../components/card";
import { notify } from "../../components/notices";
import { bytes } from "../../lib/format";
import { save } from "../../lib/save";

type File = Artifacts["artifacts"][number];

const mostShown = 256 * 1024;

export function FilesCard({ taskId, title }: { taskId: string; title: string }) {
  const files = useLive(artifacts(taskId)).data?.artifacts ?? [];
  if (files.length === 0) return null;
  return (
    <Card title={title} note={String(files.length)}>
      <ul>
        {files.map((file) => (
          <FileLine key={`${file.session_id}/${file.name}`} taskId={taskId} file={file} />
        ))}
      </ul>
    </Card>
  );
}

function isText(file: File): boolean {
  return file.bytes <= mostShown && /^(text\/|application\/json)/.test(file.content_type);
}

function FileLine({ taskId, file }: { taskId: string; file: File }) {
  const [text, setText] = useState<string | null>(null);
  const path = `/api/dashboard/tasks/${encodeURIComponent(taskId)}/artifacts/${encodeURIComponent(file.session_id)}/${encodeURIComponent(file.name)}`;
  const fetched = async (take: (blob: Blob) => void | Promise<void>): Promise<void> => {
    try {
      await take(await download(path));
    } catch (error) {
      notify("bad", error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <li className="border-t border-line first:border-t-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
        <div className="min-w-0 flex-1">
          <span className="font-mono text-sm wrap-anywhere">{file.name}</span>
          <span className="block text-xs text-muted">
            {file.agent_name} · {bytes(file.bytes)}
          </span>
        </div>
        {isText(file) && (
          <Button
            aria-expanded={text !== null}
            onClick={() => {
              if (text !== null) setText(null);
              else void fetched(async (blob) => setText(await blob.text()));
            }}
          >
            {text === null ? "Show" : "Hide"}
          </Button>
        )}
        <Button icon="download" aria-label={`Save ${file.name}`} onClick={() => void fetched((blob) => save(blob, file.name))} />
      </div>
      {text !== null && (
        <pre className="max-h-96 overflow-auto border-t border-line bg-raised px-4 py-3 font-mono text-xs wrap-anywhere whitespace-pre-wrap">
          {text}
        </pre>
      )}
    </li>
  );
}
