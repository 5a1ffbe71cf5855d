// A delivery that a person asks for, to see what a webhook makes of it: signed with the webhook's own secret, as
// its sender would sign it. From there on it is a delivery like any other.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/base/clock.h"
#include "host/base/result.h"
#include "host/model/delivery.h"
#include "host/plugin/registry.h"
#include "host/plugin/sender.h"

namespace davit::ingest {

struct TestEvent {
  plugin::Sample sample;
  std::string event;  // for the header that names one; empty: none, or what was recorded
  std::string by;     // who asked for it
};

// For Ingest::receive() and rehearse(). Its id is a new one, and so are its body's bytes, as far as that means
// nothing: it counts as an event that was not here before. Conflict if the webhook does not serve, or is signed in
// a way that the host has no key for; InvalidInput for headers that no request can have, or an event where no
// header names one. No error and nothing of the delivery holds a secret; the delivery holds its signature.
Result<Delivery> test_delivery(const plugin::Webhook& webhook, TestEvent wanted, const std::string& request_id,
                               WallTime now);

// Who asked for a delivery that came from this address, which then is none; nullopt: a sender sent it.
std::optional<std::string_view> tested_by(std::string_view remote_address);

}  // namespace davit::ingest
