#include "host/conformance/check.h"

namespace davit::conformance {
namespace {

// What any call of a hook may show.
std::vector<const Rule*> hooks(std::vector<const Rule*> more = {}) {
  for (const Rule* rule : {&rule("create"), &rule("instance-struct"), &rule("exceptions"), &rule("status"),
                           &rule("answer"), &rule("answer-text"), &rule("answer-limit"),
                           &rule("error-sentence"), &rule("stale-handles"), &rule("usage"), &rule("cancel")})
    more.push_back(rule);
  return more;
}

const std::vector<Check>& table() {
  static const std::vector<Check> checks{
      {"file",
       Of::File,
       &rule("file-elf"),
       {&rule("file-plain"), &rule("file-machine"), &rule("file-whole"), &rule("factory-symbol"),
        &rule("exports"), &rule("unique-symbols"), &rule("no-delete"), &rule("text-relocations"),
        &rule("executable-stack"), &rule("run-path"), &rule("libc-version")},
       check_file},
      {"metadata",
       Of::Both,
       &rule("load-crash"),
       {&rule("description"), &rule("version"), &rule("config-defaults"), &rule("config-described"),
        &rule("delivery-id"), &rule("signature-declared"), &rule("metadata-stable")},
       check_metadata},
      {"plain-input", Of::Webhook, &rule("plain-input"), hooks({&rule("repeatable"), &rule("reached")}),
       check_webhook_input},
      {"plain-input", Of::Agent, &rule("plain-input"), hooks({&rule("reached")}), check_agent_input},
      {"empty-body", Of::Webhook, &rule("empty-body"), hooks({&rule("bad-input-status")}),
       check_webhook_input},
      {"broken-body", Of::Webhook, &rule("broken-body"), hooks({&rule("bad-input-status")}),
       check_webhook_input},
      {"deep-json", Of::Webhook, &rule("deep-json"), hooks(), check_webhook_input},
      {"deep-json", Of::Agent, &rule("deep-json"), hooks(), check_agent_input},
      {"missing-members", Of::Webhook, &rule("missing-members"), hooks(), check_webhook_input},
      {"missing-members", Of::Agent, &rule("missing-members"), hooks(), check_agent_input},
      {"large-input", Of::Webhook, &rule("large-input"), hooks(), check_webhook_input},
      {"large-input", Of::Agent, &rule("large-input"), hooks(), check_agent_input},
      {"odd-headers", Of::Webhook, &rule("odd-headers"), hooks(), check_webhook_input},
      {"own-signature", Of::Webhook, &rule("own-signature-check"), {}, check_own_signature},
      {"concurrency", Of::Webhook, &rule("concurrent-calls"), hooks(), check_concurrency},
      {"cancellation", Of::Agent, &rule("cancel"), hooks(), check_cancellation},
      {"bare-host", Of::Both, &rule("bare-host"), {}, check_bare_host},
      {"older-host", Of::Both, &rule("older-host"), {}, check_older_host},
      {"newer-host", Of::Both, &rule("newer-host"), {}, check_newer_host},
      {"borrowed-text", Of::Both, &rule("borrowed-text"), {}, check_borrowed_text},
      {"stale-handles", Of::Both, &rule("stale-handles"), {}, check_stale_handles},
      {"instances", Of::Both, &rule("instances"), {}, check_instances},
      {"memory", Of::Both, &rule("memory"), {}, check_memory},
      {"process-state",
       Of::Both,
       &rule("plain-input"),
       {&rule("signal-handlers"), &rule("signal-mask"), &rule("working-directory"), &rule("umask"),
        &rule("locale"), &rule("environment"), &rule("descriptors"), &rule("threads"), &rule("processes"),
        &rule("limits"), &rule("foreign-descriptors"), &rule("foreign-signals")},
       check_process_state},
      {"end", Of::Both, &rule("orderly-end"), {}, check_end},
      {"fuzz", Of::Both, &rule("fuzz"), hooks(), check_fuzz},
  };
  return checks;
}

}  // namespace

std::span<const Check> all_checks() { return table(); }

const Check* find_check(std::string_view name, PluginKind kind) {
  const Of one = kind == PluginKind::Webhook ? Of::Webhook : Of::Agent;
  for (const Check& check : table()) {
    if (check.name == name && (check.of == one || check.of == Of::Both || check.of == Of::File))
      return &check;
  }
  return nullptr;
}

}  // namespace davit::conformance
