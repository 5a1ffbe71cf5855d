#include "tests/support/plugin_metadata.h"

#include "davit/testing/driver.hpp"
#include "tests/abi/library.h"

namespace davit::test {

std::string webhook_metadata(const std::string& name, std::uint32_t index) {
  testing::FakeHost host;
  return testing::metadata_of(Library(name, "plugins").webhooks(), index, host).output;
}

}  // namespace davit::test
