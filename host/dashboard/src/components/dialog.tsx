// The browser's own dialog: it keeps the focus, closes on Escape and injects no style.
import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { Button } from "./button";

export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Closed while it is still in the document: then the focus goes back to where it was.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      className="card m-auto max-h-[calc(100dvh-2rem)] w-[min(32rem,calc(100vw-2rem))] overflow-auto p-0 text-ink backdrop:backdrop-blur-[1px]"
    >
      <header className="flex items-center border-b border-line py-2 pr-2 pl-4">
        <h2 id={heading} className="text-lg font-semibold">
          {title}
        </h2>
        <Button look="quiet" icon="close" aria-label="Close" className="ml-auto" onClick={onClose} />
      </header>
      <div className="flex flex-col gap-3 p-4">{children}</div>
    </dialog>
  );
}
