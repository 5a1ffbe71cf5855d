/* A webhook: what turns a sender's HTTP request into work.
 *
 * The host asks these questions in this order and acts on the answers itself; a
 * webhook never sees the queue:
 *
 *   (answer_unverified)  only where the sender's protocol demands it
 *   (validate_signature) only where the metadata declares no scheme
 *   parse_payload        what is this about?          -> a JSON value, or ignored
 *   should_process       shall anything happen?       -> yes, or no with a reason
 *   handle               what shall happen?           -> the answer
 *
 * Signatures are normally checked by the host from the scheme the metadata
 * declares as data: then the plugin sees neither a secret nor an unverified byte.
 *
 * Metadata, a JSON object:
 *   name            required, [a-z][a-z0-9_-]{0,63}
 *   description     a sentence for people
 *   version         of the plugin, "1.0.0"
 *   endpoint        suggestion, "/webhooks/<name>"; the configuration decides
 *   enabled         false: off unless the configuration switches it on (true)
 *   secret_env_var  suggestion for the secret's variable; the configuration decides
 *   event_types     list of strings, for people
 *   event_header    header that names the event, if there is one
 *   delivery_id     where the sender's id for deduplication is:
 *                   {"header": "X-GitHub-Delivery"} or {"pointer": "/event_id"}
 *                   (a JSON pointer into the *parsed* payload); absent: a hash
 *                   of the body within a window. Beside a header, "required":
 *                   true refuses what comes without it
 *   content_types   accepted media types (["application/json"])
 *   max_body_bytes  limit of a body (8388608)
 *   signature       the scheme, or absent: validate_signature is called, which
 *                   the operator must allow by name
 *   answers_unverified  true: answer_unverified is called, if allowed likewise
 *   answers_get     true: GET and HEAD are answered 200 with nothing, without a
 *                   look at anything: the sender asks so whether somebody is there
 *   secret_fields   names of members of the body (JSON, at any depth; fields of a
 *                   form, and JSON within them) whose values are secrets: what
 *                   the host keeps of a delivery has a mark in their place
 *   config_schema   JSON Schema draft 4 of the instance's `config`
 *   sample          a delivery to try the webhook with, {"headers": {name: text},
 *                   "body": text or JSON}, at most 32 KiB. The host offers it as a
 *                   test event and makes id, time stamp and signature itself.
 *                   "{timestamp}" in its texts stands for the seconds since 1970,
 *                   so that each is an event of its own
 * Unknown members are ignored.
 *
 * signature, an object; a member or value the host does not know refuses the
 * plugin, because a check understood by half is none:
 *   headers         header names, tried in order; the first one present counts;
 *                   one that occurs twice is refused
 *   separator       text between several signatures in one header, if any
 *   signed          what is signed: text with {body}, {timestamp} and {id}
 *                   ("{body}"). A value put in from a header must not contain
 *                   any character of the text between two placeholders, so that
 *                   nothing can be shifted from one into the other; text before
 *                   the first placeholder does not count
 *   timestamp_header   where {timestamp} is: decimal seconds since 1970 UTC
 *   tolerance_seconds  how far it may be from now, in both directions (300)
 *   id_header       where {id} is
 *   accept          list of {prefix, algorithm, encoding, secret_prefix,
 *                   secret_encoding}: algorithm hmac-sha256, hmac-sha384,
 *                   hmac-sha512 or ed25519; encoding hex or base64;
 *                   secret_encoding raw (default) or base64, after taking
 *                   secret_prefix off
 *
 * The answer of handle, a JSON object:
 *   response  {status: "queued"|"ignored"|"error", message, details: {...},
 *              http: {status, content_type, body}}   http replaces the usual one
 *   tasks     [{agent, task_type, title, payload, priority, run_at, entity, group,
 *              key}]
 *             agent     required, the name of the agent
 *             payload   any JSON: what the agent gets to work on
 *             priority  -100 to 100, the greater one goes first (0)
 *             run_at    not before this time, Unix milliseconds
 *             entity    key of what it is about: tasks with the same one run one
 *                       after another (the answer's entity.key)
 *             group     key of what that belongs to, where the host does not
 *                       know it from the answer or earlier tasks: an agent may
 *                       be set to work on one thing of a group at a time
 *             key       a queued task of the same agent with the same key gets
 *                       this one's input instead (the entity); see README.md
 *   actions   [{action: "approve"|"reject"|"retry"|"cancel", task_id or entity,
 *               agent, comment, content_hash, via}]  on tasks that exist; with
 *             entity: its newest task that the action fits, of `agent` if named;
 *             where it has none, one of which an agent said it is about that also
 *             content_hash  of what is approved or rejected, as the host shows it:
 *                       all 64 digits or at least the first 12. The host may refuse
 *                       an approval without it (approvals.hash)
 *             via       how it was said, a word: "comment", "review", "button"
 *   actor     {id, login, role}                      who caused the event
 *   entity    {key, type, title, url, group}         what it is about
 *             group     key of what it belongs to (a repository, project or
 *                       channel): an agent may be set to work on one thing of a
 *                       group at a time
 *   links     [{rel, key, url}]                      what else is mentioned
 *   reply     {url, body, posts, seconds, escape}    where the sender wants to hear
 *             what becomes of the tasks and actions. The host posts a sentence
 *             when a task of them begins, waits for approval or ends, and what
 *             became of an action. It posts to hosts the operator allows
 *             (replies.hosts) and keeps the address to itself.
 *             url       required, https; a secret
 *             body      JSON object that is posted, in which each text "{text}"
 *                       is the sentence ({"text": "{text}"})
 *             posts     at most so many, 1 to 20 (5)
 *             seconds   and not later than so long after the delivery came, 1 to
 *                       86400 (1800)
 *             escape    "entities": & < > are &amp; &lt; &gt; in the sentence
 * Every member is optional; unknown ones are ignored. The host commits all of it
 * together with the delivery. */
#ifndef DAVIT_ABI_WEBHOOK_H
#define DAVIT_ABI_WEBHOOK_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One header as it came: name in the sender's case, value without surrounding
 * blanks, bytes as received. Frozen: it never grows. */
typedef struct davit_header {
  davit_text name;
  davit_text value;
} davit_header;

/* The whole request. Borrowed until the call returns. */
typedef struct davit_request {
  uint32_t struct_size; /* sizeof(davit_request) in the host's build */
  uint32_t reserved;    /* 0 */
  davit_text method;    /* "POST" */
  davit_text path;      /* as sent, not decoded */
  davit_text query;     /* behind '?', as sent; empty if there is none */
  const davit_header *headers;
  uint64_t header_count;
  davit_text body;             /* bytes, exactly as signed */
  davit_text remote_address;   /* of the peer or, behind a proxy, of the client */
  davit_text request_id;       /* the host's id of this request */
  davit_text delivery_id;      /* the sender's id where it is in a header; else empty */
  int64_t received_unix_ms;
} davit_request;

/* The secrets configured for one webhook, newest first; any may have signed. */
typedef struct davit_secrets {
  uint32_t struct_size; /* sizeof(davit_secrets) in the host's build */
  uint32_t count;
  const davit_text *values;
} davit_secrets;

/* A webhook instance as create() fills it in. The host copies the struct and
 * calls through its copy; an optional member may be NULL. `self` is the
 * instance, passed back to every function. All but destroy are [any]. */
typedef struct davit_webhook {
  uint32_t struct_size; /* sizeof(davit_webhook) in the plugin's build */
  uint32_t reserved;    /* 0 */
  void *self;

  /* Is the signature good? DAVIT_OK or DAVIT_UNAUTHORIZED. Looks at headers and
   * raw bytes only, compares in constant time, does no I/O. `now_unix_ms` is
   * the time to judge time stamps by. Optional. */
  davit_status (*validate_signature)(void *self, const davit_call *call, const davit_request *request,
                                     const davit_secrets *secrets, int64_t now_unix_ms);

  /* Answers a request nobody has verified yet: writes an answer of which only
   * `response` counts and returns DAVIT_OK, or returns DAVIT_IGNORED to go on to
   * verification. Optional. */
  davit_status (*answer_unverified)(void *self, const davit_call *call, const davit_request *request,
                                    const davit_sink *answer);

  /* Reads a verified request. Writes one JSON value (what the next two hooks
   * get) and returns DAVIT_OK; or writes a reason as plain text and returns
   * DAVIT_IGNORED when the event is none of its business; DAVIT_INVALID_INPUT
   * when the body is malformed. Required. */
  davit_status (*parse_payload)(void *self, const davit_call *call, const davit_request *request,
                                const davit_sink *parsed);

  /* Shall this event be worked on? DAVIT_OK for yes, DAVIT_IGNORED for no; the
   * reason may be written as plain text in both cases. Required. */
  davit_status (*should_process)(void *self, const davit_call *call, davit_text parsed, const davit_sink *reason);

  /* Writes the answer (see above) and returns DAVIT_OK. Must not have effects
   * of its own: it may be called again for the same event. Required. */
  davit_status (*handle)(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer);

  /* Releases the instance. Called once, after all other calls have returned. */
  void (*destroy)(void *self);
} davit_webhook;

/* What the exported factory function returns: constant data of the library. */
typedef struct davit_webhook_factory {
  uint32_t struct_size; /* sizeof(davit_webhook_factory) in the plugin's build */
  uint32_t abi_minor_needed; /* least DAVIT_ABI_MINOR of a host it can work with */
  uint32_t abi_minor_built;  /* DAVIT_ABI_MINOR of the headers it was built with */
  uint32_t count;            /* how many webhooks the library offers, at most 64 */

  /* Writes the metadata of webhook number `index` as JSON. Quick (a probe has
   * seconds, not minutes), no side effects. [scan] */
  davit_status (*metadata)(uint32_t index, const davit_call *call, const davit_sink *out);

  /* Makes an instance of webhook number `index` and fills in `*webhook`, whose
   * struct_size the host has set to the room there is (at least that of minor
   * 0): write no more than that, and set it to what you wrote. `host` may be
   * used here already. On failure nothing is kept and destroy
   * is not called. [owner of the library: one create at a time] */
  davit_status (*create)(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook);
} davit_webhook_factory;

#ifdef __cplusplus
}
#endif

#endif
