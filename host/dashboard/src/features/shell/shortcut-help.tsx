import { Dialog } from "../../components/dialog";
import { useShortcutSwitch } from "../../lib/keys";

export const shortcutList: [string, string][] = [
  ["/", "Search tasks"],
  ["j  k", "Next or previous task of the list"],
  ["x", "Select the chosen task, or not"],
  ["Enter", "Open the chosen task"],
  ["a", "Approve the open or chosen task"],
  ["r", "Reject it"],
  ["g o", "Overview"],
  ["g t", "Tasks"],
  ["g w", "Approvals: what waits"],
  ["g a", "Agents"],
  ["g c", "Costs"],
  ["g p", "Plugins"],
  ["g d", "Deliveries"],
  ["g u", "Audit"],
  ["?", "This help"],
];

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useShortcutSwitch();
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
        {on ? "This browser keeps it." : "No key does anything here by itself; the button with the keyboard opens this again."}
      </p>
      <table className="plain w-full text-sm">
        <thead className="sr-only">
          <tr>
            <th scope="col">Keys</th>
            <th scope="col">What they do</th>
          </tr>
        </thead>
        <tbody>
          {shortcutList.map(([keys, what]) => (
            <tr key={keys}>
              <td className="w-28">
                <kbd className="rounded border border-line-strong bg-sunken px-1.5 py-0.5 font-mono text-xs">{keys}</kbd>
              </td>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
