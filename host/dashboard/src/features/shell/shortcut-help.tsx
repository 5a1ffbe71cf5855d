import { useMayAct } from "../../api/session";
import { Dialog } from "../../components/dialog";
import { keyMeanings, useShortcutSwitch } from "../../lib/keys";
import { usePages } from "./pages";

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useShortcutSwitch();
  const mayAct = useMayAct();
  const pages = usePages();
  const known = Object.entries(keyMeanings).filter(([, { acts }]) => mayAct || !acts);
  const lines: [string, string][] = [
    ...known.map(([key, { what }]): [string, string] => [key, what]),
    ...pages.map(({ keys, name }): [string, string] => [keys, name]),
  ];
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <label className="flex items-center gap-2 text-sm font-medium">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={on}
          onChange={(event) => setOn(event.target.checked)}
        />
        Keys act
      </label>
      <p className="text-sm text-muted">
        {on
          ? "Not while one types. Two keys are struck one after the other. This browser keeps whether they act."
          : "No key does anything here by itself; the button with the keyboard opens this again."}
      </p>
      <table className="plain w-full text-sm">
        <thead className="sr-only">
          <tr>
            <th scope="col">Keys</th>
            <th scope="col">What they do</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(([keys, what]) => (
            <tr key={keys}>
              <td className="w-28 whitespace-nowrap">
                {keys.split(" ").map((key) => (
                  <kbd key={key} className="mr-1 rounded border border-line-strong bg-sunken px-1.5 py-0.5 font-mono text-xs">
                    {key}
                  </kbd>
                ))}
              </td>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
