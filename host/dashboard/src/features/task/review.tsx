// What a person decides about: the plan, what has changed since he last saw one, and all that an approval holds for.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { task as taskQuery } from "../../api/queries";
import type { Json, TaskDetail } from "../../api/schema";
import { Card, Fact, Facts } from "../../components/card";
import { Copy } from "../../components/copy";
import { DiffView } from "../../components/diff-view";
import { JsonTree } from "../../components/json-tree";
import { Markdown } from "../../components/markdown";
import { Select } from "../../components/select";
import { Tabs } from "../../components/tabs";
import { Time } from "../../components/time";
import { words } from "../../lib/format";
import { type Before, approvedBefore, decidedBefore, earlierOfSameAgent, givenPlan, planIn, rejectedBefore } from "../../lib/plan";

function useTask(id: string | null): TaskDetail | undefined {
  return useQuery({ ...taskQuery(id ?? ""), enabled: id !== null, staleTime: Infinity }).data;
}

// The versions before, once they are there: what was sent back, what was approved last, else what came before.
function useBefores(task: TaskDetail): Before[] {
  const maker = useTask(task.parent_id);
  const approved = useTask(task.approved_before?.kept ? task.approved_before.task_id : null);
  const earlier = useTask(earlierOfSameAgent(task));
  const found = [maker && rejectedBefore(task, maker, earlier), approved && approvedBefore(task, approved)].filter((each) => !!each);
  return found.length > 0 || !earlier ? found : [decidedBefore(task, earlier)];
}

export function ReviewCard({ task }: { task: TaskDetail }) {
  const plan = givenPlan(task);
  const befores = useBefores(task);
  const [comparedWith, compareWith] = useState<string | null>(null);
  const before = befores.find((each) => each.what === comparedWith) ?? befores[0];
  const tabs = [...(plan ? ["Plan"] : []), ...(before ? ["Changes"] : []), "All it gets", ...(plan ? ["Source"] : [])];
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = tabs.find((tab) => tab === chosen) ?? tabs[0] ?? "";
  return (
    <Card
      title={plan ? "Plan" : "What is asked for"}
      note={before && <>compared with {before.what}</>}
      aside={<Tabs name="Plan" tabs={tabs} shown={shown} onShow={setChosen} />}
    >
      {task.approved_before && !task.approved_before.kept && <NotKept approval={task.approved_before} />}
      {before?.comment && (
        <blockquote className="border-b border-line px-4 py-2 text-sm wrap-anywhere whitespace-pre-wrap text-muted">
          “{before.comment}”
        </blockquote>
      )}
      <div role="tabpanel" aria-label={shown}>
        {plan && shown === "Plan" && (
          <div className="px-4 py-3">
            <Markdown text={plan.text} />
          </div>
        )}
        {before && shown === "Changes" && (
          <>
            {befores.length > 1 && (
              <p className="border-b border-line px-4 py-2">
                <Select
                  name="Compared with"
                  value={before.what}
                  any={null}
                  options={befores.map((each) => each.what)}
                  onChange={compareWith}
                />
              </p>
            )}
            <Changes before={before} />
          </>
        )}
        {plan && shown === "Source" && (
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          <pre tabIndex={0} className="max-h-[34rem] overflow-auto px-4 py-3 font-mono text-xs wrap-anywhere whitespace-pre-wrap">
            {plan.text}
          </pre>
        )}
        {shown === "All it gets" && <Bound task={task} planHash={plan?.sha256 ?? null} />}
      </div>
    </Card>
  );
}

// An approval holds for more than the plan: what else is given is compared too, wherever it is known.
export function Changes({ before: { plan, rest } }: { before: Before }) {
  if (plan === null) return rest && <DiffView {...rest} name="Changes" />;
  const same = plan.before === plan.after;
  const restDiffers = rest !== null && rest.before !== rest.after;
  if (same && rest && !restDiffers) return <DiffView {...plan} name="Changes" />;
  return (
    <>
      {same ? (
        <p className="px-4 py-3 text-sm text-muted">
          {restDiffers ? "The plan is the same; what else it gets is not." : "The plan is the same."}
        </p>
      ) : (
        <DiffView {...plan} name="Changes" />
      )}
      {rest === null && (
        <p className="border-t border-line px-4 py-2 text-sm text-muted">
          What else was given then is not known any more, so only the plans are compared.
        </p>
      )}
      {restDiffers && (
        <>
          <h3 className="border-t border-line px-4 pt-3 pb-1 text-sm font-medium">What else it gets</h3>
          <DiffView {...rest} name="What else it gets" />
        </>
      )}
    </>
  );
}

// An approval is bound to a hash; the text of what was approved is kept only as long as it is what that task is given.
function NotKept({ approval }: { approval: NonNullable<TaskDetail["approved_before"]> }) {
  return (
    <p className="border-b border-line px-4 py-2 text-sm text-muted">
      {approval.by ?? "Somebody"} approved other content <Time iso={approval.at} />
      {approval.content_hash && (
        <>
          {" "}
          (<code className="font-mono text-xs">{approval.content_hash.slice(0, 12)}</code>)
        </>
      )}
      . Its text is not kept, so it cannot be shown what has changed since.
    </p>
  );
}

// All that goes into the content hash, which is what an approval is given for.
function Bound({ task, planHash }: { task: TaskDetail; planHash: string | null }) {
  const hash = task.approval?.content_hash;
  const content: { [name: string]: Json } = {
    input: task.payload,
    from_the_agent_before: task.previous_result,
    links: task.links.map(({ rel, key, url }) => ({ rel, key, url })),
    actor: task.actor,
  };
  return (
    <>
      <p className="px-4 pt-3 text-sm text-muted">
        An approval holds for exactly this. If anything of it changes, so does the hash, and a person is asked again.
      </p>
      <Facts>
        <Fact name="Agent">{task.current_agent}</Fact>
        <Fact name="Type">{words(task.task_type)}</Fact>
        <Fact name="Source">{task.source}</Fact>
        <Fact name="Title">{task.title || "(no title)"}</Fact>
        {task.entity && <Fact name="Is about">{task.entity}</Fact>}
      </Facts>
      {hash && <Hash name="Content hash" value={hash} />}
      {planHash && <Hash name="SHA-256 of the plan" value={planHash} />}
      <div className="border-t border-line">
        <JsonTree value={content} what="all that is approved" />
      </div>
      {hash && (
        <p className="border-t border-line px-4 py-2 text-xs wrap-anywhere text-muted">
          From a terminal:{" "}
          <code className="font-mono">
            davit tasks approve {task.task_id} --hash {hash.slice(0, 12)}
          </code>
        </p>
      )}
    </>
  );
}

function Hash({ name, value }: { name: string; value: string }) {
  return (
    <p className="flex flex-wrap items-center gap-x-2 border-t border-line px-4 py-2 text-sm">
      <span className="text-muted">{name}</span>
      <code className="font-mono text-xs wrap-anywhere">{value}</code>
      <Copy text={value} what={name} />
    </p>
  );
}

// The plan that a task has made.
export function MadePlanCard({ task }: { task: TaskDetail }) {
  const plan = planIn(task.result);
  if (!plan) return null;
  return (
    <Card title="Plan">
      <div className="px-4 py-3">
        <Markdown text={plan.text} />
      </div>
    </Card>
  );
}
