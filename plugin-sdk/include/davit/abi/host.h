/* What the host offers to a plugin.
 *
 * The core is in davit_host. Everything else is a service: a struct of
 * functions fetched by a string id that carries its revision. NULL means that
 * this host does not know the service or that it was not granted; a plugin must
 * be able to live with NULL. */
#ifndef DAVIT_ABI_HOST_H
#define DAVIT_ABI_HOST_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DAVIT_LOG_DEBUG ((int32_t)0)
#define DAVIT_LOG_INFO ((int32_t)1)
#define DAVIT_LOG_WARN ((int32_t)2)
#define DAVIT_LOG_ERROR ((int32_t)3)

/* Given to create() and valid until destroy() of that instance has returned, or
 * until create() has returned if it failed. So is all it points to. Owned by the
 * host; read-only. */
typedef struct davit_host davit_host;
struct davit_host {
  uint32_t struct_size; /* sizeof(davit_host) in the host's build */
  uint32_t abi_minor;   /* DAVIT_ABI_MINOR of the host */
  void *context;        /* the host's own; not to be touched */

  /* The key of this instance in the configuration: "github", "billing". */
  davit_text instance_name;

  /* The instance's `config` as a JSON object, already valid against the
   * config_schema of the metadata; "{}" when the operator wrote none. */
  davit_text config;

  /* One line in the host's log. `fields` is a JSON object or empty. Never put
   * secrets, bodies or prompts here. An unknown level is read as INFO. [any] */
  void (*log)(const davit_host *host, int32_t level, davit_text message, davit_text fields);

  /* The value of a secret the operator granted to this instance by name.
   * DAVIT_NOT_FOUND when it was not granted or is not set. [any] */
  davit_status (*secret)(const davit_host *host, davit_text name, const davit_sink *out);

  /* Wall time in milliseconds since 1970-01-01 UTC. [any] */
  int64_t (*now_unix_ms)(const davit_host *host);

  /* A service by id, or NULL. What it returns is valid as long as the host
   * struct. [any] */
  const void *(*service)(const davit_host *host, davit_text id);
};

/* How far the work is; shown live. Only inside davit_agent.execute and its
 * companions, with their call. */
#define DAVIT_SERVICE_PROGRESS "davit.progress/1"
typedef struct davit_progress_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* `fraction` from 0 to 1, negative when unknown. `phase` is a short machine
   * word, `message` a sentence; either may be empty. [any, during the call] */
  davit_status (*report)(const davit_call *call, double fraction, davit_text phase, davit_text message);
} davit_progress_v1;

/* Tokens and money spent so far. Reported figures survive a killed runner. */
#define DAVIT_SERVICE_USAGE "davit.usage/1"
typedef struct davit_usage_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* `usage` is a JSON object (agent.h, "Usage") with the totals of this
   * execution up to now: cumulative, so a repeated report never counts twice.
   * Figures that shrink are ignored. [any, during the call] */
  davit_status (*report)(const davit_call *call, davit_text usage);
} davit_usage_v1;

/* The transcript of an execution: what a person reads to see what happened. */
#define DAVIT_SERVICE_TRANSCRIPT "davit.transcript/1"
typedef struct davit_transcript_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* One line (or one JSON object) of the transcript. `kind` is a short word
   * such as "assistant", "tool", "stdout". [any, during the call] */
  davit_status (*append)(const davit_call *call, davit_text kind, davit_text line);
} davit_transcript_v1;

/* Files kept with the execution. */
#define DAVIT_SERVICE_ARTIFACT "davit.artifact/1"
typedef struct davit_artifact_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* Stores `content` (bytes) under `name` (no slash, at most 128 bytes),
   * replacing an earlier one of this execution. DAVIT_INVALID_INPUT when the
   * name is bad or the content over the host's limit. [any, during the call] */
  davit_status (*put)(const davit_call *call, davit_text name, davit_text content_type, davit_text content);
} davit_artifact_v1;

/* Small values an agent keeps between executions, in a namespace of its own. */
#define DAVIT_SERVICE_KV "davit.kv/1"
typedef struct davit_kv_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* DAVIT_NOT_FOUND when there is no such key. [any, during the call] */
  davit_status (*read)(const davit_call *call, davit_text key, const davit_sink *out);
  /* `key` at most 256 bytes, `value` (bytes) at most 64 KiB. Durable when it
   * returns DAVIT_OK. [any, during the call] */
  davit_status (*write)(const davit_call *call, davit_text key, davit_text value);
  /* DAVIT_OK also when there was no such key. [any, during the call] */
  davit_status (*remove)(const davit_call *call, davit_text key);
} davit_kv_v1;

#ifdef __cplusplus
}
#endif

#endif
