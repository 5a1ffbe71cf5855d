// The host's own hash of what a person approves. Apart, for names of the host are those of the SDK.
#pragma once

#include <string>

// Of the executor's task that has this as previous result, in JSON.
std::string host_hash(const std::string& previous_result);
