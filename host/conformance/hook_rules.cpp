// Hooks with all kinds of input, serial and concurrent, and agents that are cancelled.
#include <atomic>
#include <thread>

#include "host/conformance/agent_driver.h"
#include "host/conformance/check.h"
#include "host/conformance/webhook_driver.h"

namespace davit::conformance {
namespace {

constexpr int kThreads = 4;
constexpr int kRoundsOfThread = 25;
constexpr Duration kCancelSoon{30};

}  // namespace

void check_webhook_input(Subject& subject) {
  const InputClass of = input_class(subject.job.check);
  CheckHost host(subject.job.config, {}, subject.report);
  const auto webhook = WebhookDriver::create(subject, host);
  if (!webhook) return;
  bool reached = false;
  for (const RequestInput& input : request_inputs(subject.job, of)) {
    if (subject.is_late()) break;
    const Delivered first = webhook->deliver(input);
    reached = reached || (first.hook == "handle" && first.status == DAVIT_OK);
    if (of == InputClass::Plain && webhook->deliver(input) != first)
      subject.report.found(rule("repeatable"),
                           first.hook + " with " + input.what + " says something else the second time");
  }
  if (of == InputClass::Plain && !reached)
    subject.report.found(rule("reached"), "No input got as far as an answer of handle");
}

void check_agent_input(Subject& subject) {
  const InputClass of = input_class(subject.job.check);
  CheckHost host(subject.job.config, {}, subject.report);
  const auto agent = AgentDriver::create(subject, host);
  if (!agent) return;
  bool reached = false;
  for (const ContextInput& input : context_inputs(subject.job, of)) {
    reached = agent->run(input) || reached;
    if (subject.is_late()) break;
  }
  if (of == InputClass::Plain && !reached)
    subject.report.found(rule("reached"), "No task got as far as a result");
}

void check_concurrency(Subject& subject) {
  CheckHost host(subject.job.config, {}, subject.report);
  const auto webhook = WebhookDriver::create(subject, host);
  if (!webhook) return;
  const std::vector<RequestInput> inputs = request_inputs(subject.job, InputClass::Plain);
  std::vector<Delivered> serial;
  for (const RequestInput& input : inputs) {
    serial.push_back(webhook->deliver(input));
    // What differs by itself says nothing about threads.
    if (webhook->deliver(input) != serial.back()) return;
  }
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      while (!go) std::this_thread::yield();
      for (int round = 0; round < kRoundsOfThread; ++round) {
        const std::size_t i = static_cast<std::size_t>(number + round) % inputs.size();
        RequestInput input = inputs[i];
        input.what += ", called by several threads at once";
        const Delivered now = webhook->deliver(input);
        if (now != serial[i])
          subject.report.found(rule("concurrent-calls"),
                               now.hook + " with " + input.what + ", says something else than alone");
      }
    });
  }
  go = true;
  for (std::thread& thread : threads) thread.join();
}

void check_own_signature(Subject& subject) {
  CheckHost host(subject.job.config, {}, subject.report);
  const auto webhook = WebhookDriver::create(subject, host);
  if (!webhook || !webhook->checks_signatures()) return;
  for (const InputClass of : {InputClass::Plain, InputClass::Empty, InputClass::OddHeaders}) {
    for (const RequestInput& input : request_inputs(subject.job, of)) {
      for (const std::vector<std::string>& secrets :
           {std::vector<std::string>{"a made-up secret"}, {}, {""}}) {
        if (webhook->validate_signature(input, secrets) == DAVIT_OK)
          subject.report.found(
              rule("own-signature-check"),
              "validate_signature takes an unsigned request with " + input.what + " for signed");
      }
    }
  }
}

void check_cancellation(Subject& subject) {
  CheckHost host(subject.job.config, {}, subject.report);
  const auto agent = AgentDriver::create(subject, host);
  if (!agent) return;
  for (const ContextInput& input : context_inputs(subject.job, InputClass::Plain)) {
    if (subject.is_late()) return;
    agent->run(input, {.cancel_after = kCancelSoon, .cancelled_before = false});
    agent->run(input, {.cancel_after = kCancelSoon, .cancelled_before = true});
  }
}

}  // namespace davit::conformance
