import { Dialog } from "../../components/dialog";

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
  return (
    <Dialog title="Keyboard" onClose={onClose}>
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
