// Every rule of `davit plugins check`, in one table: what `--list` prints and docs/PLUGIN_CHECK.md documents.
#pragma once

#include <string_view>

namespace davit::conformance {

// A warning or a note does not fail a check unless the author asks for that.
enum class Severity { Note, Warning, Error };
std::string_view to_string(Severity severity);

struct Rule {
  std::string_view id;     // stable
  std::string_view theme;  // file, load, metadata, instance, input, answer, agent, process, fuzz
  Severity severity;
  std::string_view title;   // what holds where the rule is kept
  std::string_view remedy;  // what an author does where it is not
};

inline constexpr Rule kRules[] = {
    // The bytes of the file; none of its code runs.
    {"file-plain", "file", Severity::Error, "The file is a regular file that can be read",
     "Name the built library itself, and make it readable."},
    {"file-elf", "file", Severity::Error, "The file is a shared library",
     "Build it as one: davit_add_plugin, or cc -shared -fPIC."},
    {"file-machine", "file", Severity::Error, "It is built for this machine",
     "Build it for 64 bits and for the machine that davit runs on."},
    {"file-whole", "file", Severity::Error, "The file is whole", "Build or copy it again."},
    {"factory-symbol", "file", Severity::Error, "It exports a factory of a known ABI major as a function",
     "Write DAVIT_REGISTER_WEBHOOK or DAVIT_REGISTER_AGENT, or export davit_webhook_factory_v1 or "
     "davit_agent_factory_v1."},
    {"exports", "file", Severity::Warning, "It exports its factories and nothing else",
     "Build with davit_add_plugin, or hide the rest: -fvisibility=hidden and a version script."},
    {"unique-symbols", "file", Severity::Warning, "None of its symbols is shared with other libraries",
     "Compile with -fno-gnu-unique; two versions of the library would share this data."},
    {"no-delete", "file", Severity::Warning, "It does not ask to stay in memory for ever",
     "Link without -z nodelete."},
    {"text-relocations", "file", Severity::Error, "Its code needs no change when it is loaded",
     "Compile everything, assembler too, with -fPIC."},
    {"executable-stack", "file", Severity::Error, "It does not ask for an executable stack",
     "Link with -z noexecstack; give assembler files a .note.GNU-stack section."},
    {"run-path", "file", Severity::Warning, "It does not bring search paths of its own for libraries",
     "Link without -rpath (CMake: SKIP_BUILD_RPATH); davit loads a copy from another folder."},
    {"libc-version", "file", Severity::Error, "It needs no newer C library than the one of this machine",
     "Build it on the oldest system it shall run on."},
    // Loading it, in a process that may die.
    {"needed-library", "load", Severity::Error, "The libraries it needs are found",
     "Install what ldd shows as missing, or link it in statically."},
    {"undefined-symbol", "load", Severity::Error, "Every symbol it uses exists",
     "Link what defines it; -Wl,-z,defs tells when it is built."},
    {"loads", "load", Severity::Error, "The loader takes it",
     "Read the loader's sentence; LD_DEBUG=all shows its steps."},
    {"load-crash", "load", Severity::Error, "Constructors, factory and metadata do not crash",
     "Debug the library's constructors, factory and metadata functions."},
    {"load-exit", "load", Severity::Error, "Loading it does not end the process",
     "Take exit out of constructors, factory and metadata functions."},
    {"load-hang", "load", Severity::Error, "Constructors, factory and metadata return within seconds",
     "Move slow work to create or to the first call."},
    {"load-memory", "load", Severity::Error, "Loading it is frugal with memory",
     "Allocate in create or later, and free in destroy."},
    {"foreign-descriptors", "load", Severity::Error, "It leaves descriptors of the host alone",
     "Write to and close only what the plugin opened itself."},
    {"factory-struct", "load", Severity::Error, "The factory is filled in as the ABI says",
     "Fill in every member as davit/abi/webhook.h and agent.h say; struct_size is sizeof."},
    {"abi-minor", "load", Severity::Error, "It needs no newer ABI than this davit has",
     "State the least minor it needs in abi_minor_needed, or use a newer davit."},
    {"exceptions", "load", Severity::Error, "No exception leaves a function of the plugin",
     "Catch everything in every function of the ABI; the C++ SDK does."},
    // What it says about itself.
    {"metadata", "metadata", Severity::Error, "The metadata can be read",
     "Write the JSON that davit/abi/webhook.h and agent.h describe."},
    {"config-schema", "metadata", Severity::Error, "config_schema is JSON Schema draft 4 of known keywords",
     "Use only keywords that are checked; an ignored one would be a promise nobody keeps."},
    {"signature-scheme", "metadata", Severity::Error, "The declared signature is one that davit checks",
     "Correct the metadata's signature as davit/abi/webhook.h says."},
    {"unique-names", "metadata", Severity::Error, "Each webhook and each agent has a name of its own",
     "Rename one of the two."},
    {"metadata-stable", "metadata", Severity::Error, "The metadata is the same whenever it is asked for",
     "Write constants only: no time, no pid, no counter."},
    {"config-defaults", "metadata", Severity::Error, "Defaults in config_schema are allowed by it",
     "Correct the default or the schema around it."},
    {"config-sample", "metadata", Severity::Error, "A config to try the hooks with is known",
     "Give one with --config, or write default or enum into config_schema for what is required."},
    {"description", "metadata", Severity::Warning, "Each webhook and agent says what it does",
     "Write a sentence into the metadata's description."},
    {"config-described", "metadata", Severity::Note, "Each setting says what it does",
     "Write a description for every property of config_schema."},
    {"version", "metadata", Severity::Note, "Each webhook and agent has a version",
     "Write the metadata's version, as \"1.0.0\"."},
    {"delivery-id", "metadata", Severity::Note, "A webhook says where its sender's delivery id is",
     "Declare delivery_id if the sender has one; else repeated bodies count as one delivery."},
    {"signature-declared", "metadata", Severity::Warning, "A webhook declares its signature as data",
     "Declare signature; what the plugin checks itself must be allowed by the operator by name."},
    // Instances.
    {"create", "instance", Severity::Error, "create works with a valid config",
     "Make create succeed with every config that config_schema allows, or narrow the schema."},
    {"instance-struct", "instance", Severity::Error, "create fills in its struct as the ABI says",
     "Write no more than there is room for, set struct_size to sizeof and fill in every required function."},
    {"instances", "instance", Severity::Error, "Instances live and end independently of each other",
     "Keep the state in self, not in variables of the library."},
    {"older-host", "instance", Severity::Error, "It reads and writes no member that an older host lacks",
     "Ask DAVIT_HAS before reading a newer member, and heed struct_size in create."},
    {"newer-host", "instance", Severity::Error, "It lives with a host whose structs are longer",
     "Compare struct_size with at least (DAVIT_HAS), never with equal."},
    {"borrowed-text", "instance", Severity::Error, "It reads texts within their size and during their call",
     "Texts are not NUL-terminated and are gone after the call: copy what is kept."},
    {"stale-handles", "instance", Severity::Error, "It keeps no call, sink or host beyond its life",
     "Use davit_call and davit_sink during their call only, davit_host until destroy returns."},
    {"bare-host", "instance", Severity::Error, "It lives without secrets and optional services",
     "Look at what secret and service answer: NOT_FOUND and NULL are normal."},
    {"memory", "instance", Severity::Error, "Memory does not grow from instance to instance",
     "Free in each hook and in destroy what was allocated; valgrind and -fsanitize=leak show where."},
    // What comes in: a crash, a hang or an exit of a hook.
    {"plain-input", "input", Severity::Error, "Hooks survive ordinary input",
     "Debug the hook with this input."},
    {"empty-body", "input", Severity::Error, "Hooks survive an empty body",
     "Look at body.size first; body.data may be NULL."},
    {"broken-body", "input", Severity::Error, "Hooks survive a body that is no JSON",
     "Check what the parser says, and answer DAVIT_INVALID_INPUT."},
    {"deep-json", "input", Severity::Error, "Hooks survive deeply nested JSON",
     "Limit the depth of the parser, or parse without recursion."},
    {"missing-members", "input", Severity::Error, "Hooks survive JSON without the members they expect",
     "Check that each member is there and of the right type."},
    {"large-input", "input", Severity::Error, "Hooks survive input as large as the limits allow",
     "Use no fixed buffers, and no algorithm whose time grows with the square of the size."},
    {"odd-headers", "input", Severity::Error, "Hooks survive missing, many, long and odd headers",
     "Expect no header, and copy none into a fixed buffer."},
    // What goes out.
    {"status", "answer", Severity::Error, "Hooks return statuses of the closed set",
     "Return one of the DAVIT_ statuses of davit/abi/types.h."},
    {"answer", "answer", Severity::Error, "Answers and results can be read",
     "Write the JSON that davit/abi/webhook.h and agent.h describe."},
    {"answer-text", "answer", Severity::Error, "Texts of answers are UTF-8",
     "Convert or drop bytes that are not UTF-8 before writing them."},
    {"answer-limit", "answer", Severity::Error, "Answers keep to the limits of the ABI",
     "Stop when the sink refuses; cut what is taken over from the input."},
    {"error-sentence", "answer", Severity::Warning, "A failing hook says why",
     "Call set_error with a sentence before returning a failure."},
    {"bad-input-status", "answer", Severity::Warning, "Malformed bodies are refused for good",
     "Return DAVIT_INVALID_INPUT: what asks for a retry is retried although it cannot succeed."},
    {"repeatable", "answer", Severity::Warning, "The same event gets the same answer again",
     "Let answers depend on request, config and the host's clock only: hooks may run again."},
    {"concurrent-calls", "answer", Severity::Error, "Hooks called by several threads answer as one by one",
     "Keep no state of a call in variables of the library or in self."},
    {"own-signature-check", "answer", Severity::Error, "The plugin's own check refuses unsigned requests",
     "Return DAVIT_OK from validate_signature only when one of the secrets has signed the request."},
    {"in-time", "answer", Severity::Error, "Every check comes to its end in time",
     "Correct what hangs or is slow, or give the checks more time with --deadline."},
    {"reached", "answer", Severity::Note, "Some input gets as far as an answer",
     "Give real examples with --testdata; what no input reaches was not checked."},
    // Agents.
    {"cancel", "agent", Severity::Error, "A cancelled or overdue execution returns soon",
     "Ask is_cancelled often, or let cancel wake up what execute waits for."},
    {"usage", "agent", Severity::Warning, "Reported usage is possible and only grows",
     "Report totals of the execution as JSON, never differences and never less than before."},
    // What it does to the process it is a guest in.
    {"signal-handlers", "process", Severity::Error, "It leaves signal handlers alone",
     "Do not call signal or sigaction; block a signal in the own thread where needed."},
    {"signal-mask", "process", Severity::Error, "It leaves the signal mask of its caller alone",
     "Put back the mask before returning."},
    {"working-directory", "process", Severity::Error, "It does not change the working directory",
     "Use absolute paths or openat."},
    {"umask", "process", Severity::Error, "It does not change the umask",
     "Give modes to open, or use fchmod."},
    {"locale", "process", Severity::Error, "It does not change the locale",
     "Use newlocale and uselocale, or functions without locale."},
    {"environment", "process", Severity::Error, "It does not change environment variables",
     "Hand an environment to what is started instead of calling setenv."},
    {"descriptors", "process", Severity::Error, "It closes what it opens",
     "Close it in the hook or in destroy."},
    {"threads", "process", Severity::Error, "No thread is left after destroy",
     "Stop and join in destroy every thread that the instance started."},
    {"processes", "process", Severity::Error, "No child process is left after destroy",
     "End and wait for every child before the hook returns."},
    {"limits", "process", Severity::Error, "It does not change resource limits",
     "Leave setrlimit to the host, or call it in a child."},
    {"foreign-signals", "process", Severity::Error, "It signals, limits and schedules no process but its own",
     "Do such things only to what the plugin has started; its parent is davit."},
    {"orderly-end", "process", Severity::Error, "The process in which it was loaded can end in order",
     "Let destructors of static objects and of the library do nothing that can fail; end threads in "
     "destroy."},
    // Hostile input, made up from a seed.
    {"fuzz", "fuzz", Severity::Error, "Hooks survive mutated input",
     "Debug the hook; --seed repeats the case."},
};

// Does not compile for an id that is not in the table.
consteval const Rule& rule(std::string_view id) {
  for (const Rule& known : kRules) {
    if (known.id == id) return known;
  }
  throw "no such rule";
}
// nullptr for an unknown id.
const Rule* find_rule(std::string_view id);

}  // namespace davit::conformance
