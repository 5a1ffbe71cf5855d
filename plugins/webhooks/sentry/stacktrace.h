// The exceptions of an event with the frames that matter. A frame's variables are never taken: they hold
// whatever the program had in its hands, passwords too.
#pragma once

#include <cstddef>

#include "davit/json.hpp"

namespace sentry {

inline constexpr std::size_t kMaxExceptions = 3;
inline constexpr std::size_t kMaxFrames = 12;  // of each

// [{type, value, frames [{file, line, function, module, in_app: true, code}]}]: the exceptions raised last,
// each with its innermost frames, innermost first. Sentry writes them the other way round, in
// `event.exception.values` or in an element "exception" of `event.entries`. Throws
// davit::Failure(InvalidInput) naming a member of a wrong type.
davit::Json exceptions_of(davit::JsonView event);

}  // namespace sentry
