/* Prints offset and size of every member of every struct of the ABI, for comparison with layout.golden.
 *
 * Each member must begin where the one before ends, and the last one must end the struct: so none can be
 * forgotten here, and no padding can hide in between. */
#include <davit/abi/davit.h>
#include <stdio.h>

static int failures = 0;
static size_t end = 0;

#define BEGIN(type) (end = 0, printf("%s\n", #type))
#define MEMBER(type, name) member(#type, #name, offsetof(type, name), sizeof(((type*)0)->name))
#define END(type) finish(#type, sizeof(type))

static void member(const char* type, const char* name, size_t offset, size_t size) {
  printf("  %3zu %3zu %s\n", offset, size, name);
  if (offset != end) {
    fprintf(stderr, "%s.%s begins at %zu, but what is listed before it ends at %zu\n", type, name, offset,
            end);
    ++failures;
  }
  end = offset + size;
}

static void finish(const char* type, size_t size) {
  printf("  %3zu\n", size);
  if (size != end) {
    fprintf(stderr, "%s has %zu bytes, but what is listed of it ends at %zu\n", type, size, end);
    ++failures;
  }
}

int main(void) {
  printf("abi %d.%d\n", DAVIT_ABI_MAJOR, DAVIT_ABI_MINOR);

  BEGIN(davit_text);
  MEMBER(davit_text, data);
  MEMBER(davit_text, size);
  END(davit_text);

  BEGIN(davit_sink);
  MEMBER(davit_sink, struct_size);
  MEMBER(davit_sink, reserved);
  MEMBER(davit_sink, context);
  MEMBER(davit_sink, write);
  END(davit_sink);

  BEGIN(davit_call);
  MEMBER(davit_call, struct_size);
  MEMBER(davit_call, reserved);
  MEMBER(davit_call, context);
  MEMBER(davit_call, set_error);
  MEMBER(davit_call, set_retry_after);
  MEMBER(davit_call, remaining_ms);
  MEMBER(davit_call, is_cancelled);
  END(davit_call);

  BEGIN(davit_host);
  MEMBER(davit_host, struct_size);
  MEMBER(davit_host, abi_minor);
  MEMBER(davit_host, context);
  MEMBER(davit_host, instance_name);
  MEMBER(davit_host, config);
  MEMBER(davit_host, log);
  MEMBER(davit_host, secret);
  MEMBER(davit_host, now_unix_ms);
  MEMBER(davit_host, service);
  END(davit_host);

  BEGIN(davit_progress_v1);
  MEMBER(davit_progress_v1, struct_size);
  MEMBER(davit_progress_v1, reserved);
  MEMBER(davit_progress_v1, report);
  END(davit_progress_v1);

  BEGIN(davit_usage_v1);
  MEMBER(davit_usage_v1, struct_size);
  MEMBER(davit_usage_v1, reserved);
  MEMBER(davit_usage_v1, report);
  END(davit_usage_v1);

  BEGIN(davit_transcript_v1);
  MEMBER(davit_transcript_v1, struct_size);
  MEMBER(davit_transcript_v1, reserved);
  MEMBER(davit_transcript_v1, append);
  END(davit_transcript_v1);

  BEGIN(davit_artifact_v1);
  MEMBER(davit_artifact_v1, struct_size);
  MEMBER(davit_artifact_v1, reserved);
  MEMBER(davit_artifact_v1, put);
  END(davit_artifact_v1);

  BEGIN(davit_kv_v1);
  MEMBER(davit_kv_v1, struct_size);
  MEMBER(davit_kv_v1, reserved);
  MEMBER(davit_kv_v1, read);
  MEMBER(davit_kv_v1, write);
  MEMBER(davit_kv_v1, remove);
  END(davit_kv_v1);

  BEGIN(davit_header);
  MEMBER(davit_header, name);
  MEMBER(davit_header, value);
  END(davit_header);

  BEGIN(davit_request);
  MEMBER(davit_request, struct_size);
  MEMBER(davit_request, reserved);
  MEMBER(davit_request, method);
  MEMBER(davit_request, path);
  MEMBER(davit_request, query);
  MEMBER(davit_request, headers);
  MEMBER(davit_request, header_count);
  MEMBER(davit_request, body);
  MEMBER(davit_request, remote_address);
  MEMBER(davit_request, request_id);
  MEMBER(davit_request, delivery_id);
  MEMBER(davit_request, received_unix_ms);
  END(davit_request);

  BEGIN(davit_secrets);
  MEMBER(davit_secrets, struct_size);
  MEMBER(davit_secrets, count);
  MEMBER(davit_secrets, values);
  END(davit_secrets);

  BEGIN(davit_webhook);
  MEMBER(davit_webhook, struct_size);
  MEMBER(davit_webhook, reserved);
  MEMBER(davit_webhook, self);
  MEMBER(davit_webhook, validate_signature);
  MEMBER(davit_webhook, answer_unverified);
  MEMBER(davit_webhook, parse_payload);
  MEMBER(davit_webhook, should_process);
  MEMBER(davit_webhook, handle);
  MEMBER(davit_webhook, destroy);
  END(davit_webhook);

  BEGIN(davit_webhook_factory);
  MEMBER(davit_webhook_factory, struct_size);
  MEMBER(davit_webhook_factory, abi_minor_needed);
  MEMBER(davit_webhook_factory, abi_minor_built);
  MEMBER(davit_webhook_factory, count);
  MEMBER(davit_webhook_factory, metadata);
  MEMBER(davit_webhook_factory, create);
  END(davit_webhook_factory);

  BEGIN(davit_agent);
  MEMBER(davit_agent, struct_size);
  MEMBER(davit_agent, reserved);
  MEMBER(davit_agent, self);
  MEMBER(davit_agent, pre_execute);
  MEMBER(davit_agent, execute);
  MEMBER(davit_agent, post_execute);
  MEMBER(davit_agent, on_error);
  MEMBER(davit_agent, cancel);
  MEMBER(davit_agent, destroy);
  END(davit_agent);

  BEGIN(davit_agent_factory);
  MEMBER(davit_agent_factory, struct_size);
  MEMBER(davit_agent_factory, abi_minor_needed);
  MEMBER(davit_agent_factory, abi_minor_built);
  MEMBER(davit_agent_factory, count);
  MEMBER(davit_agent_factory, metadata);
  MEMBER(davit_agent_factory, create);
  END(davit_agent_factory);

  return failures != 0;
}
