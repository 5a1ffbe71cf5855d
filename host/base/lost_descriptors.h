// What to do when somebody else has closed a descriptor of ours.
#pragma once

namespace davit {

// Ends this process as by a crash: with one descriptor others have gone, and their numbers will be those of
// other files. Writes a sentence to stderr, if that is left.
[[noreturn]] void end_without_descriptors();

}  // namespace davit
