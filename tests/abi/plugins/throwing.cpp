// Plugins that throw where they can.
#include <pthread.h>
#include <davit/agent.hpp>
#include <davit/webhook.hpp>

#include <new>
#include <stdexcept>
#include <string>

namespace {

using davit::Failure;

[[noreturn]] void throw_as(std::string_view what) {
  if (what == "int") throw 7;
  if (what == "exception") throw std::runtime_error("it broke");
  if (what == "not utf-8") throw std::runtime_error("it broke \xff");
  if (what == "memory") throw std::bad_alloc();
  if (what == "rate") throw Failure::rate_limited("too many", std::chrono::seconds(3));
  if (what == "permanent") throw Failure::permanent("never");
  if (what == "ok") throw Failure(davit::Status::Ok, "a failure that says ok");
  if (what == "number") throw Failure(static_cast<davit::Status>(99), "a status nobody knows");
  if (what == "exit thread") pthread_exit(nullptr);
  throw std::logic_error("throw_as: " + std::string(what));
}

enum Where { InConstructor, InMetadata, InConfigure, InHooks };

template <Where kWhere>
class Webhook : public davit::WebhookHandler {
 public:
  Webhook() {
    if (kWhere == InConstructor) throw_as("int");
  }
  davit::WebhookMetadata metadata() const override {
    if (kWhere == InMetadata) throw_as("exception");
    return {.name = "throwing"};
  }
  void configure(const davit::Json& config) override {
    if (kWhere == InConfigure) throw_as(config["throw"].string_or(""));
  }
  bool validate_signature(const davit::Request& request, const davit::Secrets&, davit::Time) const override {
    throw_as(request.body());
  }
  std::optional<davit::Answer> answer_unverified(const davit::Request& request) const override {
    throw_as(request.body());
  }
  davit::Parsed parse_payload(const davit::Request& request) const override { throw_as(request.body()); }
  davit::Decision should_process(const davit::Json& parsed) const override { throw_as(parsed.string_or("")); }
  davit::Answer handle(const davit::Json& parsed) const override { throw_as(parsed.string_or("")); }
};

class Agent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override { return {.name = "throwing-agent"}; }
  davit::Decision pre_execute(const davit::AgentContext& context) override {
    throw_as(context.task.payload.string_or(""));
  }
  davit::AgentResult execute(const davit::AgentContext& context, davit::Run&) override {
    throw_as(context.task.payload.string_or(""));
  }
  davit::AgentResult post_execute(const davit::AgentContext& context, davit::AgentResult) override {
    throw_as(context.task.payload.string_or(""));
  }
  std::optional<davit::AgentResult> on_error(const davit::AgentContext& context, const Failure&) override {
    throw_as(context.task.payload.string_or(""));
  }
  void cancel() override { throw_as("int"); }
};

}  // namespace

DAVIT_REGISTER_WEBHOOK(Webhook<InHooks>)
DAVIT_REGISTER_WEBHOOK(Webhook<InConstructor>)
DAVIT_REGISTER_WEBHOOK(Webhook<InMetadata>)
DAVIT_REGISTER_WEBHOOK(Webhook<InConfigure>)
DAVIT_REGISTER_AGENT(Agent)
