/* An agent: what does the work of one task.
 *
 * Every execution happens in a runner process of its own kind, never in the
 * host: a crash costs that execution, a time-out is a kill of the whole tree.
 *
 *   (pre_execute)  may this run at all?   no: the task fails, for good
 *   execute        the work               -> the result
 *   (post_execute) a last look            -> the result, maybe changed
 *   (on_error)     only when one of these failed with a status: may still make a
 *                  result, and that one is final
 *
 * Metadata, a JSON object:
 *   name              required, [a-z][a-z0-9_-]{0,63}, e.g. "planning-agent"
 *   display_name      "Planning Agent"
 *   description       a sentence for people
 *   version           "1.0.0"
 *   capabilities      list of planning, execution, discovery, review,
 *                     monitoring, analysis
 *   enabled           false: off unless the configuration switches it on (true)
 *   max_retries       attempts after the first (3)
 *   timeout_seconds   wall time of one execution (3600)
 *   requires_approval a person must approve the input before it runs (false)
 *   secrets           list of names of secrets it asks for: those that are granted
 *                     to all agents it gets only if it names them here
 *   config_schema     JSON Schema draft 4 of the agent's `config`
 * The configuration may override enabled, max_retries, timeout_seconds and
 * requires_approval.
 *
 * Context, a JSON object: task_id, session_id (UUID of this execution), attempt
 * (1 for the first), max_retries (attempts after the first: the last one is
 * 1 + max_retries), chain_depth (1 for the first task of a chain), task {task_id, agent, task_type, source, title, payload,
 * entity, actor, links, created_at}, config, previous_result (output of the agent
 * before it in the chain, or null; {rejected: {comment, by, actor_id, way,
 * content_hash, output}} when a person, who is told as in approval, rejected what
 * came of this agent's own output, and it is to do better), deadline_unix_ms, workspace (a folder of this execution, removed after
 * it), state_folder (absolute: a folder of all agents, closed to other users, that
 * stays; executions run at the same time, so who writes there locks), sandbox
 * {command, required} (the program, bubblewrap or one that is called as it is, by
 * which an agent confines what it starts, and whether nothing is to be started
 * without), approval {by, actor_id, way, at, content_hash} (who approved what this
 * task runs; actor_id is the sender's own id of the person and may be empty; null:
 * it needed nobody), budget_usd (what it may cost: one that reported more is stopped
 * and fails for good; null or absent: nothing bounds it). Times are Unix
 * milliseconds; entity, actor and links have the shapes of webhook.h. A host may be
 * older than a member: all but task_id, session_id, attempt, task, config,
 * previous_result, deadline_unix_ms and workspace may be absent. Unknown members are
 * to be ignored.
 *
 * Result, a JSON object:
 *   success      bool, required
 *   output       any JSON: what the next agent gets as previous_result
 *   error        a sentence, when success is false
 *   error_class  retryable (default), rate_limited, permanent
 *   retry_after_ms  with retryable or rate_limited
 *   approval_refused  true, with success false: the approval that this runs on (the
 *                context's) does not count, for the reason in error, and nothing was
 *                done yet. The task waits for another one, no attempt is used, and
 *                whoever gave this one does not start it again while it waits. Where
 *                it runs on none, it fails for good. error_class beside it is
 *                permanent, which is all that an older host understands
 *   usage        see below; a figure counts where it is larger than what was reported live,
 *                or is the cost in place of an estimate
 *   metrics      object of numbers, for people
 *   next_agent   name of the agent that goes on, or absent
 *   next_input   payload for it; absent: the task's own payload
 *   wait_for_approval  true: next_agent starts only after a person approved;
 *                without next_agent it is a mistake
 *   also         list of at most 8 keys of at most 256 bytes: what the task and all
 *                that follow it are about beside the entity, such as the pull
 *                request that it opened. An action of a webhook for such an entity
 *                means them as well: whoever may approve there approves here
 *   tasks        follow-up tasks, as in a webhook's answer
 * An agent that is unknown or disabled, or stands in the chain already (the host's
 * chain.max_visits), as next_agent or in a follow-up task, fails the whole result.
 * Unknown members are ignored.
 * Follow-up work is part of the result so that it is committed with it, once.
 *
 * Usage, a JSON object of totals: input_tokens, output_tokens,
 * cache_read_tokens, cache_write_tokens, cost_usd, cost_is_estimate (false), model
 * (the main one), models {name: the figures again}. Of two reports the larger figure
 * counts, but a cost that is none takes the place of an estimate also where it is
 * less, unless it is 0. */
#ifndef DAVIT_ABI_AGENT_H
#define DAVIT_ABI_AGENT_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An agent instance as create() fills it in. The host copies the struct. All
 * but cancel are [owner]; optional members may be NULL. */
typedef struct davit_agent {
  uint32_t struct_size; /* sizeof(davit_agent) in the plugin's build */
  uint32_t reserved;    /* 0 */
  void *self;

  /* May it run? DAVIT_OK for yes. DAVIT_IGNORED for no, with the reason written
   * as plain text: the task ends as failed, without retry and without
   * successor. Optional. */
  davit_status (*pre_execute)(void *self, const davit_call *call, davit_text context, const davit_sink *reason);

  /* Does the work and writes the result. Returns DAVIT_OK when a result was
   * written (also one with success false); another status when none could be
   * made (DAVIT_IGNORED is read as DAVIT_INTERNAL). Required. */
  davit_status (*execute)(void *self, const davit_call *call, davit_text context, const davit_sink *result);

  /* Gets the result of execute and writes the one that counts;
   * DAVIT_NOT_IMPLEMENTED leaves it as it is. Another status takes it back: the
   * execution failed. Optional. */
  davit_status (*post_execute)(void *self, const davit_call *call, davit_text context, davit_text result,
                               const davit_sink *changed);

  /* pre_execute, execute or post_execute returned `status` with `message`; not
   * called for what means something else: DAVIT_NOT_IMPLEMENTED of the first and
   * the last, DAVIT_IGNORED of pre_execute, and DAVIT_CANCELLED and
   * DAVIT_DEADLINE, which end the execution. Writes a result, which
   * post_execute does not see, and returns DAVIT_OK, or returns
   * DAVIT_NOT_IMPLEMENTED to let the failure stand. Optional. */
  davit_status (*on_error)(void *self, const davit_call *call, davit_text context, davit_status status,
                           davit_text message, const davit_sink *result);

  /* Somebody cancelled, or the deadline has come: the running call should
   * return soon; a few seconds later its process tree is killed. Optional;
   * davit_call.is_cancelled says the same. [beside] */
  void (*cancel)(void *self);

  /* Releases the instance. Called once, after all other calls have returned. */
  void (*destroy)(void *self);
} davit_agent;

/* What the exported factory function returns: constant data of the library. */
typedef struct davit_agent_factory {
  uint32_t struct_size; /* sizeof(davit_agent_factory) in the plugin's build */
  uint32_t abi_minor_needed; /* least DAVIT_ABI_MINOR of a host it can work with */
  uint32_t abi_minor_built;  /* DAVIT_ABI_MINOR of the headers it was built with */
  uint32_t count;            /* how many agents the library offers, at most 64 */

  /* As davit_webhook_factory.metadata. [scan] */
  davit_status (*metadata)(uint32_t index, const davit_call *call, const davit_sink *out);

  /* As davit_webhook_factory.create, for agent number `index`: the same rules
   * for room, failure and threads. */
  davit_status (*create)(uint32_t index, const davit_host *host, const davit_call *call, davit_agent *agent);
} davit_agent_factory;

#ifdef __cplusplus
}
#endif

#endif
