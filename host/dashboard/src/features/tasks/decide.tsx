// Asks for a decision about a task of the list.
import { Link } from "@tanstack/react-router";
import { useLive } from "../../api/live";
import { task as taskQuery } from "../../api/queries";
import { type Act, ActDialog, actWords } from "../../components/act-dialog";
import { Dialog } from "../../components/dialog";
import { Loaded } from "../../components/states";

// The list does not tell what would be approved: the task does, with the hash by which the server knows that it is still it.
export function DecideDialog({ id, act, onClose }: { id: string; act: Act; onClose: () => void }) {
  const query = useLive(taskQuery(id));
  if (query.data === undefined) {
    return (
      <Dialog title={actWords[act].title} onClose={onClose}>
        <Loaded query={query} lines={3}>
          {() => null}
        </Loaded>
      </Dialog>
    );
  }
  return (
    <ActDialog task={query.data} contentHash={query.data.approval?.content_hash} act={act} onClose={onClose}>
      <p className="text-sm text-muted">
        <Link to="/tasks/$id" params={{ id }} className="link">
          All it gets
        </Link>{" "}
        is on the page of the task.
      </p>
    </ActDialog>
  );
}
