// Calls a plugin's hooks the way the host does: through the C ABI.
//
//   FakeHost host;
//   WebhookDriver webhook(davit_webhook_factory_v1(), 0, host);   // or of a library: dlsym(…)
//   Outcome parsed = webhook.parse_payload(request);
//   Outcome answer = webhook.handle(parsed.output);
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "davit/abi/agent.h"
#include "davit/abi/webhook.h"
#include "davit/testing/fake_host.hpp"
#include "davit/testing/request_builder.hpp"

namespace davit {
inline namespace sdk {
namespace testing {

// The metadata of number `index`, as JSON text in the outcome.
template <class Factory>
Outcome metadata_of(const Factory* factory, std::uint32_t index, FakeHost& host) {
  return host.call(
      [&](const davit_call* call, const davit_sink* sink) { return factory->metadata(index, call, sink); });
}

// An instance from create() to destroy(). Throws what create() fails with, as a Failure.
template <class Factory, class Struct>
class Instance {
 public:
  Instance(const Factory* factory, std::uint32_t index, FakeHost& host, std::uint32_t room = sizeof(Struct))
      : host_(host) {
    abi_.struct_size = room;
    const Outcome outcome = host.call([&](const davit_call* call, const davit_sink*) {
      return factory->create(index, host.abi(), call, &abi_);
    });
    if (outcome.status != Status::Ok) {
      if (outcome.retry_after) throw Failure(outcome.status, outcome.error, *outcome.retry_after);
      throw Failure(outcome.status, outcome.error);
    }
    if (abi_.struct_size > room) throw std::logic_error("create() wrote more than there was room for");
  }
  ~Instance() { abi_.destroy(abi_.self); }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const Struct& abi() const { return abi_; }

 protected:
  template <class Function, class... Arguments>
  Outcome ask(Function function, Arguments... arguments) {
    return host_.call([&](const davit_call* call, const davit_sink* sink) -> davit_status {
      if (!function) return DAVIT_NOT_IMPLEMENTED;
      return function(abi_.self, call, arguments..., sink);
    });
  }

  FakeHost& host_;
  Struct abi_{};
};

class WebhookDriver : public Instance<davit_webhook_factory, davit_webhook> {
 public:
  using Instance::Instance;

  Outcome validate_signature(RequestBuilder& request, const std::vector<std::string>& secrets, Time now) {
    std::vector<davit_text> texts;
    for (const std::string& secret : secrets) texts.push_back(text_of(secret));
    const davit_secrets given{sizeof(davit_secrets), static_cast<std::uint32_t>(texts.size()), texts.data()};
    return host_.call([&](const davit_call* call, const davit_sink*) -> davit_status {
      if (!abi_.validate_signature) return DAVIT_NOT_IMPLEMENTED;
      return abi_.validate_signature(abi_.self, call, &request.abi(), &given, unix_ms(now));
    });
  }
  Outcome answer_unverified(RequestBuilder& request) { return ask(abi_.answer_unverified, &request.abi()); }
  Outcome parse_payload(RequestBuilder& request) { return ask(abi_.parse_payload, &request.abi()); }
  Outcome should_process(std::string_view parsed) { return ask(abi_.should_process, text_of(parsed)); }
  Outcome handle(std::string_view parsed) { return ask(abi_.handle, text_of(parsed)); }

  // All hooks of a verified request, as far as they go: the answer, or what ended it.
  Outcome deliver(RequestBuilder& request) {
    const Outcome parsed = parse_payload(request);
    if (parsed.status != Status::Ok) return parsed;
    const Outcome decision = should_process(parsed.output);
    if (decision.status != Status::Ok) return decision;
    return handle(parsed.output);
  }
};

class AgentDriver : public Instance<davit_agent_factory, davit_agent> {
 public:
  using Instance::Instance;

  // A context for tests: the payload and what else matters may be set by the test.
  static Json context(Json payload = {}, Json config = Json::object()) {
    Json task =
        Json::object({{"task_id", "task-1"}, {"agent", "test"}, {"title", "A task"}, {"source", "test"}});
    task.set("payload", std::move(payload));
    Json context = Json::object({{"task_id", "task-1"}, {"session_id", "session-1"}, {"attempt", 1}});
    context.set("task", std::move(task)).set("config", std::move(config)).set("previous_result", nullptr);
    return context;
  }

  Outcome pre_execute(const Json& context) { return ask(abi_.pre_execute, context); }
  Outcome execute(const Json& context) { return ask(abi_.execute, context); }
  Outcome post_execute(const Json& context, std::string_view result) {
    return ask(abi_.post_execute, context, text_of(result));
  }
  Outcome on_error(const Json& context, Status status, std::string_view message) {
    return ask(abi_.on_error, context, static_cast<davit_status>(status), text_of(message));
  }
  void cancel() {
    if (abi_.cancel) abi_.cancel(abi_.self);
  }

  // All hooks in the host's order: the result that counts, or the failure.
  Outcome run(const Json& context) {
    const Outcome allowed = pre_execute(context);
    if (allowed.status == Status::Ignored) return allowed;
    if (allowed.status != Status::Ok && allowed.status != Status::NotImplemented)
      return rescued(context, allowed);
    const Outcome result = execute(context);
    if (result.status != Status::Ok) return rescued(context, result);
    const Outcome changed = post_execute(context, result.output);
    if (changed.status == Status::NotImplemented || changed.status == Status::Ignored) return result;
    return changed.status == Status::Ok ? changed : rescued(context, changed);
  }

 private:
  Outcome rescued(const Json& context, const Outcome& failure) {
    if (failure.status == Status::Cancelled || failure.status == Status::Deadline) return failure;
    const Outcome made = on_error(context, failure.status, failure.error);
    return made.status == Status::Ok ? made : failure;
  }

  template <class Function, class... Arguments>
  Outcome ask(Function function, const Json& context, Arguments... arguments) {
    const std::string text = context.dump();
    return Instance::ask(function, text_of(text), arguments...);
  }
};

}  // namespace testing
}  // namespace sdk
}  // namespace davit
