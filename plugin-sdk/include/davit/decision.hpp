#pragma once

#include <concepts>
#include <string>
#include <utility>

namespace davit {
inline namespace sdk {

// Yes or no, with a reason.
class Decision {
 public:
  Decision(std::same_as<bool> auto yes) : yes_(yes) {}  // NOLINT(google-explicit-constructor)
  static Decision yes(std::string reason = "") { return Decision(true, std::move(reason)); }
  static Decision no(std::string reason) { return Decision(false, std::move(reason)); }

  explicit operator bool() const { return yes_; }
  const std::string& reason() const { return reason_; }

 private:
  Decision(bool yes, std::string reason) : yes_(yes), reason_(std::move(reason)) {}
  bool yes_;
  std::string reason_;
};

}  // namespace sdk
}  // namespace davit
