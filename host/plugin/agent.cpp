// One execution through the hooks. What an agent says is never taken at its word where the books depend on
// it: usage only grows, classes of failure that only the host can know are refused, and an ending without a
// readable result is a failure that says how.
#include "host/plugin/agent.h"

#include <atomic>
#include <cstddef>
#include <cstring>
#include <exception>

#include "host/base/guarded.h"
#include "host/base/json.h"
#include "host/plugin/host_services.h"
#include "host/plugin/marshal.h"
#include "host/plugin/metadata.h"

namespace davit::plugin {
namespace {

AgentResult failure(FailureClass failure, std::string error, Duration retry_after = Duration{0}) {
  AgentResult result;
  result.failure = failure;
  result.error = std::move(error);
  result.retry_after = retry_after;
  return result;
}

FailureClass failure_of(davit_status status) {
  switch (status) {
    case DAVIT_RATE_LIMITED:
      return FailureClass::RateLimited;
    case DAVIT_CANCELLED:
      return FailureClass::Cancelled;
    case DAVIT_DEADLINE:
      return FailureClass::Deadline;
    case DAVIT_INVALID_INPUT:
    case DAVIT_UNAUTHORIZED:
    case DAVIT_NOT_FOUND:
    case DAVIT_PERMANENT:
    case DAVIT_NOT_IMPLEMENTED:
      return FailureClass::Permanent;
    // A defect may not show again: it costs an attempt like any other failure.
    default:
      return FailureClass::Retryable;
  }
}

}  // namespace

struct AgentInstance::Parts {
  Parts(std::shared_ptr<const PluginModule> the_module, const AgentSettings& settings,
        AgentReports the_reports, Log& the_log, const Clock& the_clock)
      : module(std::move(the_module)),
        reports(std::move(the_reports)),
        host(settings.name, settings.config, settings.granted, the_log, the_clock, &reports),
        log(the_log),
        clock(the_clock) {
    // Between the plugin and who listens stands the sum: totals that shrink are not passed on.
    if (auto listener = std::move(reports.usage)) {
      reports.usage = [this, listener = std::move(listener)](std::string_view json) {
        if (auto grown = add_usage(json)) listener(*grown);
      };
    }
  }

  // The totals after a report, as JSON; nullopt if the report cannot be read.
  std::optional<std::string> add_usage(std::string_view json) {
    bool mended = false;
    auto now = usage_from_json(json, &mended);
    if (!now) {
      log.warn("agent reported usage that cannot be read",
               {{"agent", host.instance()}, {"error", now.error().message}});
      return std::nullopt;
    }
    if (mended) warn_mended();
    return to_json(usage.with([&](Usage& total) { return total = merged(total, *now); }));
  }

  void warn_mended() {
    log.warn(
        "agent reported impossible usage, or models of which the names cannot be kept; counted as the "
        "nearest possible",
        {{"agent", host.instance()}});
  }

  // Runs one hook; exceptions become DAVIT_INTERNAL with their text in `thrown`.
  template <typename Function>
  static davit_status guarded(std::string& thrown, Function&& function) {
    try {
      return function();
    } catch (const std::exception& exception) {
      thrown = "threw " + presentable(exception.what(), 512);
    } catch (...) {
      thrown = "threw an object that is no std::exception";
    }
    return DAVIT_INTERNAL;
  }

  // The failure that a status stands for, in the plugin's words.
  AgentResult failed(std::string_view hook, davit_status status, const CallContext& call,
                     const std::string& thrown) {
    std::string text = thrown.empty() ? call.error(std::string(hook) + " ended as " +
                                                   std::string(status_name(status)) + " without saying why")
                                      : std::string(hook) + " " + thrown;
    return settled(davit::plugin::failure(failure_of(status), std::move(text), call.retry_after()));
  }

  // What nobody asked for was not cancelled; what somebody asked for was, whatever the agent calls it.
  AgentResult settled(AgentResult result) const {
    if (result.success) return result;
    if (cancelled) {
      result.failure = FailureClass::Cancelled;
    } else if (result.failure == FailureClass::Cancelled) {
      result.failure = FailureClass::Retryable;
    }
    return result;
  }

  AgentResult read(std::string_view hook, const AnswerSink& sink) {
    if (sink.over_limit())
      return failure(FailureClass::Retryable, std::string(hook) + " wrote more than 8 MiB");
    bool mended = false;
    auto result = agent_result_from_json(sink.bytes(), &mended);
    if (!result) {
      return failure(FailureClass::Retryable,
                     std::string(hook) + " gave a result that cannot be read: " + result.error().message);
    }
    if (mended) warn_mended();
    // A runner may say these of a hook, but no hook of itself.
    if (result->failure == FailureClass::Cancelled || result->failure == FailureClass::Deadline ||
        result->failure == FailureClass::PutOff) {
      result->failure = FailureClass::Retryable;
    }
    return settled(std::move(result).value());
  }

  AgentResult after_failure(std::string_view hook, std::string_view context, MonotonicTime deadline,
                            davit_status status, const CallContext& call, const std::string& thrown);
  AgentResult run_hooks(std::string_view context, MonotonicTime deadline);

  std::shared_ptr<const PluginModule> module;
  AgentReports reports;
  HostContext host;
  Log& log;
  const Clock& clock;
  Guarded<Usage> usage;  // of the execution that runs
  std::atomic<bool> cancelled{false};
  davit_agent agent{};
  bool created = false;

  ~Parts() {
    if (!created || !agent.destroy) return;
    std::string ignored;
    guarded(ignored, [&] { return agent.destroy(agent.self), DAVIT_OK; });
  }
};

AgentInstance::AgentInstance(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
AgentInstance::~AgentInstance() = default;

Result<std::unique_ptr<AgentInstance>> AgentInstance::create(std::shared_ptr<const PluginModule> module,
                                                             const PluginOffer& offer,
                                                             const AgentSettings& settings,
                                                             AgentReports reports, Log& log,
                                                             const Clock& clock) {
  const davit_agent_factory* factory = module->agents();
  if (!factory || offer.kind != PluginKind::Agent || offer.index >= factory->count) {
    return Error{ErrorCode::NotFound, "the library offers no agent number " + std::to_string(offer.index)};
  }
  auto metadata = agent_metadata_from_json(offer.metadata);
  if (auto* refusal = std::get_if<Refusal>(&metadata)) return Error{ErrorCode::Internal, refusal->reason};
  TRY(check_config(std::get<AgentMetadata>(metadata).config_schema, settings.config));

  auto parts = std::make_unique<Parts>(std::move(module), settings, std::move(reports), log, clock);
  davit_agent& agent = parts->agent;
  agent.struct_size = sizeof agent;
  CallContext call(clock, kNoDeadline);
  std::string thrown;
  davit_status status = Parts::guarded(
      thrown, [&] { return factory->create(offer.index, parts->host.abi(), call.abi(), &agent); });
  if (!thrown.empty()) return Error{ErrorCode::Internal, "create " + thrown};
  if (status != DAVIT_OK) {
    return Error{error_code_of(status),
                 call.error("create ended as " + std::string(status_name(status)) + " without saying why")};
  }
  if (agent.struct_size > sizeof agent) {
    return Error{ErrorCode::Internal, "create says it wrote more than there was room for"};
  }
  if (agent.struct_size < offsetof(davit_agent, destroy) + sizeof agent.destroy) {
    return Error{ErrorCode::Internal, "create filled in a struct that is smaller than that of ABI 1.0"};
  }
  // A later minor makes davit_agent longer; a plugin of minor 0 then leaves the rest unwritten.
  std::memset(reinterpret_cast<char*>(&agent) + agent.struct_size, 0, sizeof agent - agent.struct_size);
  parts->created = true;
  if (!agent.execute || !agent.destroy) {
    return Error{ErrorCode::Internal, std::string("create left out the required function ") +
                                          (agent.execute ? "destroy" : "execute")};
  }
  return std::unique_ptr<AgentInstance>(new AgentInstance(std::move(parts)));
}

// The failure of a hook, or what on_error makes of it. Somebody's stop and the end of the time are no errors.
AgentResult AgentInstance::Parts::after_failure(std::string_view hook, std::string_view context,
                                                MonotonicTime deadline, davit_status status,
                                                const CallContext& call, const std::string& thrown) {
  AgentResult result = failed(hook, status, call, thrown);
  const bool ended =
      result.failure == FailureClass::Cancelled || status == DAVIT_CANCELLED || status == DAVIT_DEADLINE;
  if (ended || !agent.on_error) return result;
  CallContext second(clock, deadline, &cancelled, &reports);
  AnswerSink mended;
  std::string second_thrown;
  const davit_status outcome = guarded(second_thrown, [&] {
    return agent.on_error(agent.self, second.abi(), to_text(context), status, to_text(result.error),
                          mended.abi());
  });
  if (outcome == DAVIT_OK) return read("on_error", mended);
  if (outcome != DAVIT_NOT_IMPLEMENTED) {
    log.warn("on_error of an agent failed itself; the first failure stands",
             {{"agent", host.instance()}, {"hook", hook}, {"status", status_name(outcome)}});
  }
  return result;
}

AgentResult AgentInstance::Parts::run_hooks(std::string_view context, MonotonicTime deadline) {
  std::string thrown;
  if (agent.pre_execute) {
    CallContext call(clock, deadline, &cancelled, &reports);
    AnswerSink reason(16u << 10);
    davit_status status = guarded(
        thrown, [&] { return agent.pre_execute(agent.self, call.abi(), to_text(context), reason.abi()); });
    if (status == DAVIT_IGNORED) {
      return settled(failure(FailureClass::Permanent, reason.bytes().empty()
                                                          ? "the agent refused to run and gave no reason"
                                                          : presentable(reason.bytes(), 4096)));
    }
    if (status == DAVIT_RATE_LIMITED && call.retry_after() > Duration(0) && !cancelled) {
      // No error that on_error could make up for: nothing was begun.
      AgentResult result = failed("pre_execute", status, call, thrown);
      result.failure = FailureClass::PutOff;
      return result;
    }
    if (status != DAVIT_OK && status != DAVIT_NOT_IMPLEMENTED)
      return after_failure("pre_execute", context, deadline, status, call, thrown);
  }

  AgentResult result;
  {
    CallContext call(clock, deadline, &cancelled, &reports);
    AnswerSink sink;
    davit_status status =
        guarded(thrown, [&] { return agent.execute(agent.self, call.abi(), to_text(context), sink.abi()); });
    if (status == DAVIT_IGNORED) status = DAVIT_INTERNAL;
    // post_execute looks at results of the work, and here is none.
    if (status != DAVIT_OK) return after_failure("execute", context, deadline, status, call, thrown);
    result = read("execute", sink);
  }

  if (agent.post_execute) {
    CallContext call(clock, deadline, &cancelled, &reports);
    AnswerSink changed;
    const std::string before = to_json(result);
    davit_status status = guarded(thrown, [&] {
      return agent.post_execute(agent.self, call.abi(), to_text(context), to_text(before), changed.abi());
    });
    if (status == DAVIT_NOT_IMPLEMENTED || status == DAVIT_IGNORED) return result;
    const Usage used = result.usage;
    // A last look that fails is not one that approves.
    result = status == DAVIT_OK ? read("post_execute", changed)
                                : after_failure("post_execute", context, deadline, status, call, thrown);
    result.usage = merged(used, result.usage);
  }
  return result;
}

AgentResult AgentInstance::run(std::string_view context_json, MonotonicTime deadline) {
  parts_->usage.with([](Usage& usage) { usage = Usage{}; });
  AgentResult result = parts_->run_hooks(context_json, deadline);
  // What was reported live was spent, whatever the result says of it.
  result.usage = parts_->usage.with([&](const Usage& live) { return merged(live, result.usage); });
  // At the end, not at the beginning: a cancel that overtakes run() must not be lost.
  parts_->cancelled = false;
  return result;
}

void AgentInstance::cancel() {
  parts_->cancelled = true;
  if (!parts_->agent.cancel) return;
  std::string ignored;
  Parts::guarded(ignored, [&] { return parts_->agent.cancel(parts_->agent.self), DAVIT_OK; });
}

}  // namespace davit::plugin
