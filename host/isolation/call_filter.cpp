// While rules are looked at, the number of the call is loaded: a rule that loads something else loads it
// again, or ends in a verdict.
#include "host/isolation/call_filter.h"

#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace davit::isolation {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kMachine = 0;
#endif

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter load_argument(int argument) {
  return load(offsetof(seccomp_data, args) + sizeof(std::uint64_t) * static_cast<std::size_t>(argument));
}
sock_filter give(std::uint32_t verdict) { return BPF_STMT(BPF_RET | BPF_K, verdict); }

// `verdict` where the loaded value is (kEqual) or is not (kUnequal) this one; else on with what follows.
enum Outcome : std::uint8_t { kUnequal = 0, kEqual = 1 };
void judge(std::vector<sock_filter>& filter, std::uint16_t compare, std::uint32_t value, Outcome outcome,
           std::uint32_t verdict) {
  const auto leave_out_if = [&](Outcome which) {
    return static_cast<std::uint8_t>(outcome == which ? 0 : 1);
  };
  filter.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | compare | BPF_K), value,
                            leave_out_if(kEqual), leave_out_if(kUnequal)));
  filter.push_back(give(verdict));
}

}  // namespace

bool CallFilter::is_known_machine() { return kMachine != 0; }

CallFilter::CallFilter() {
  statements_.push_back(load(offsetof(seccomp_data, arch)));
  judge(statements_, BPF_JEQ, kMachine, kUnequal, kRefuse);
  statements_.push_back(load(offsetof(seccomp_data, nr)));
  // x32 has this bit; on other machines no call has a number as high.
  judge(statements_, BPF_JGE, 0x40000000, kEqual, kRefuse);
}

void CallFilter::add(std::uint32_t call, const Statements& body) {
  statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, static_cast<std::uint8_t>(body.size())));
  statements_.insert(statements_.end(), body.begin(), body.end());
}

void CallFilter::refuse(std::uint32_t call, std::uint32_t verdict) { add(call, {give(verdict)}); }

void CallFilter::refuse_unless(std::uint32_t call, int argument, std::uint32_t mask, std::uint32_t value,
                               std::uint32_t verdict) {
  Statements body{load_argument(argument), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask)};
  judge(body, BPF_JEQ, value, kUnequal, verdict);
  body.push_back(load(offsetof(seccomp_data, nr)));  // other rules may be about this call, too
  add(call, body);
}

void CallFilter::refuse_if(std::uint32_t call, int argument, std::initializer_list<std::uint32_t> values,
                           std::uint32_t verdict) {
  Statements body{load_argument(argument)};
  for (const std::uint32_t value : values) judge(body, BPF_JEQ, value, kEqual, verdict);
  body.push_back(load(offsetof(seccomp_data, nr)));
  add(call, body);
}

void CallFilter::refuse_for(std::uint32_t call, int argument, std::optional<std::uint32_t> first,
                            std::uint32_t verdict) {
  Statements body;
  if (first) {
    body.push_back(load_argument(0));
    judge(body, BPF_JEQ, *first, kUnequal, verdict);
  }
  body.push_back(load_argument(argument));
  body.push_back(BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0));  // how far is known in enforce()
  add(call, body);
  to_values_.push_back(statements_.size() - 1);
}

bool CallFilter::enforce(const std::vector<std::uint32_t>& values, std::uint32_t verdict) {
  statements_.push_back(give(SECCOMP_RET_ALLOW));
  for (const std::size_t jump : to_values_)
    statements_[jump].k = static_cast<std::uint32_t>(statements_.size() - jump - 1);
  for (const std::uint32_t value : values) judge(statements_, BPF_JEQ, value, kEqual, verdict);
  statements_.push_back(give(SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(statements_.size()), statements_.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

}  // namespace davit::isolation
