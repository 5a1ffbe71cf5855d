// Events as server-sent events (WHATWG HTML, "Server-sent events"): what goes over the wire and what comes
// back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/http/event_ring.h"
#include "host/store/transcript_pack.h"

namespace davit::http {

// Ids are "<epoch>-<number>". The epoch is a host's life: numbers begin anew with the next.
std::string event_id(std::string_view epoch, std::uint64_t number);
// The number, if it is of that epoch and well-formed.
std::optional<std::uint64_t> number_of(std::string_view epoch, std::string_view event_id);

// What a stream begins with: `resumed` says that nothing is missing since the id that the client gave.
void append_hello(std::string& out, std::string_view epoch, std::uint64_t number, bool resumed);
// Too much has happened, or in another life: the client must load anew what it shows.
void append_reset(std::string& out, std::string_view epoch, std::uint64_t number);
// `queue` is the JSON object that a Queue event carries.
void append_event(std::string& out, std::string_view epoch, const Event& event, std::string_view queue);
// A line of a transcript. It has no event id: its number in its session says whether one is missing. Text
// beyond 16 KiB is left out, and marked.
void append_line(std::string& out, std::string_view task_id, std::string_view session_id,
                 const store::TranscriptLine& line);
// Lines of that session were left out: the transcript has them.
void append_missed_lines(std::string& out, std::string_view task_id, std::string_view session_id);
// Says that the stream lives, and how far it is.
void append_heartbeat(std::string& out, std::string_view epoch, std::uint64_t number);

}  // namespace davit::http
