// A filter of system calls under construction (seccomp(2)). It sees the number of a call and its arguments,
// but not what they point to; of an argument only the low half is looked at, which is all of an int.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

namespace davit::isolation {

// Calls of another machine (32-bit ones, x32) are refused from the beginning: they have other numbers. What
// no rule refuses is allowed. Confined to one thread.
class CallFilter {
 public:
  // A verdict: the call fails with this errno.
  static constexpr std::uint32_t error(int number) {
    return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number);
  }
  static constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
  // Whether there is one for the machine that this is built for.
  static bool is_known_machine();

  CallFilter();

  void refuse(std::uint32_t call, std::uint32_t verdict = kRefuse);
  // Unless the argument, of which `mask` is looked at, has this value.
  void refuse_unless(std::uint32_t call, int argument, std::uint32_t mask, std::uint32_t value,
                     std::uint32_t verdict = kRefuse);
  // If the argument has one of these values.
  void refuse_if(std::uint32_t call, int argument, std::initializer_list<std::uint32_t> values,
                 std::uint32_t verdict = kRefuse);
  // If the argument has one of the values that enforce() is given. With `first`, also if the first argument
  // is another one.
  void refuse_for(std::uint32_t call, int argument, std::optional<std::uint32_t> first = {},
                  std::uint32_t verdict = kRefuse);

  // From now on, for all threads of the process and what it starts; it gives up privileges from set-user-ID
  // programs (no_new_privs). At most about 1,500 values. False if the kernel takes no filter.
  bool enforce(const std::vector<std::uint32_t>& values = {}, std::uint32_t verdict = kRefuse);

 private:
  using Statements = std::vector<sock_filter>;
  void add(std::uint32_t call, const Statements& body);

  Statements statements_;
  std::vector<std::size_t> to_values_;  // jumps to where the values of enforce() are judged
};

}  // namespace davit::isolation
