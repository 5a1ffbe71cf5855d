/* Text, status and sinks: the words every other header uses.
 *
 * Threads. Each function carries one of these tags:
 *   [scan]   while a library is looked at, before anything was created; one
 *            thread; may be called any number of times.
 *   [any]    from any thread, also concurrently with itself.
 *   [owner]  one call at a time per object, not always the same thread.
 *   [beside] from another thread while an [owner] call of that object runs.
 *
 * Ownership. Nobody frees what the other side allocated. What comes in is
 * borrowed and valid until the call returns, unless its comment says longer.
 * What goes out is written into a sink, which copies.
 *
 * Unwinding. No exception, longjmp or panic crosses this border in either
 * direction. */
#ifndef DAVIT_ABI_TYPES_H
#define DAVIT_ABI_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* UTF-8, not NUL-terminated. `data` may be NULL only when `size` is 0.
 * A member documented as bytes uses the same struct and promises no encoding.
 * Frozen: it never grows. */
typedef struct davit_text {
  const char *data;
  uint64_t size;
} davit_text;

/* How a call ended. A value not listed here is read as DAVIT_INTERNAL.
 * For all but OK and IGNORED the detail goes to davit_call.set_error first. */
typedef int32_t davit_status;

#define DAVIT_OK ((davit_status)0)               /* done; for a question: yes */
#define DAVIT_IGNORED ((davit_status)1)          /* nothing to do; for a question: no. Not a failure */
#define DAVIT_INVALID_INPUT ((davit_status)2)    /* what was handed in is wrong and will stay wrong */
#define DAVIT_UNAUTHORIZED ((davit_status)3)     /* signature or right is missing */
#define DAVIT_NOT_FOUND ((davit_status)4)        /* the thing named does not exist or is not granted */
#define DAVIT_RETRYABLE ((davit_status)5)        /* failed now, may succeed later */
#define DAVIT_RATE_LIMITED ((davit_status)6)     /* as RETRYABLE, not before davit_call.set_retry_after */
#define DAVIT_CANCELLED ((davit_status)7)        /* stopped because is_cancelled said so */
#define DAVIT_DEADLINE ((davit_status)8)         /* stopped because the time was up */
#define DAVIT_PERMANENT ((davit_status)9)        /* failed and would fail again */
#define DAVIT_INTERNAL ((davit_status)10)        /* a defect of the callee */
#define DAVIT_NOT_IMPLEMENTED ((davit_status)11) /* the callee does not offer this */

/* Where a callee writes an answer. Owned by the caller; valid during the call
 * it was passed to. Successive writes append. [the thread of that call] */
typedef struct davit_sink davit_sink;
struct davit_sink {
  uint32_t struct_size; /* sizeof(davit_sink) in the build of the sink's owner */
  uint32_t reserved;    /* 0 */
  void *context;        /* the caller's own; not to be touched */

  /* Copies `text` behind what was written so far; a character may be split over
   * two writes, only the whole must be UTF-8. DAVIT_OK, or DAVIT_INVALID_INPUT
   * when the answer grows over the host's limit (8 MiB): then the answer as a
   * whole is refused. What was written counts only if the function returns the
   * status its comment names for it. */
  davit_status (*write)(const davit_sink *sink, davit_text text);
};

/* One call in flight: its deadline, its cancellation and its error text.
 * Passed to every function that can fail; valid until that function returns. */
typedef struct davit_call davit_call;
struct davit_call {
  uint32_t struct_size; /* sizeof(davit_call) in the host's build */
  uint32_t reserved;    /* 0 */
  void *context;        /* the host's own; not to be touched */

  /* The sentence for a person: what is wrong, where, what to do. The last one
   * before the function returns counts; at most 4 KiB are kept. Copied.
   * [the thread of this call] */
  void (*set_error)(const davit_call *call, davit_text message);

  /* With DAVIT_RETRYABLE or DAVIT_RATE_LIMITED: not before this many
   * milliseconds from now. [the thread of this call] */
  void (*set_retry_after)(const davit_call *call, uint64_t milliseconds);

  /* Milliseconds until the host stops waiting for this call; 0 when the time is
   * up; UINT64_MAX when there is no deadline. Monotonic. [any, during the call] */
  uint64_t (*remaining_ms)(const davit_call *call);

  /* Non-zero once somebody asked for the end of it: return DAVIT_CANCELLED
   * soon. [any, during the call] */
  int32_t (*is_cancelled)(const davit_call *call);
};

#ifdef __cplusplus
}
#endif

#endif
