#include "host/store/readers.h"

namespace davit::store {

Result<std::unique_ptr<Reader>> Readers::borrow() {
  std::unique_ptr<Reader> reader = free_.wait(
      changed_, [](const Free& free) { return !free.open.empty() || free.unopened > 0; },
      [](Free& free) -> std::unique_ptr<Reader> {
        if (free.open.empty()) {
          --free.unopened;
          return nullptr;
        }
        std::unique_ptr<Reader> taken = std::move(free.open.back());
        free.open.pop_back();
        return taken;
      });
  if (reader == nullptr) {
    auto opened = Database::open(path_, Database::Mode::Read, vfs_);
    if (const Failure* failure = std::get_if<Failure>(&opened)) {
      give_back(nullptr);
      return to_error(*failure);
    }
    reader = std::make_unique<Reader>(std::move(std::get<0>(opened)));
  }
  reader->database().execute("BEGIN");
  return reader;
}

Result<> Readers::finish(std::unique_ptr<Reader> reader) {
  reader->database().execute("COMMIT");
  if (const std::optional<Failure> failure = reader->database().take_failure()) {
    give_back(nullptr);
    return to_error(*failure);
  }
  give_back(std::move(reader));
  return {};
}

// Null gives back the right to open one: a connection that failed is not used again.
void Readers::give_back(std::unique_ptr<Reader> reader) {
  free_.with([&](Free& free) {
    if (reader != nullptr) {
      free.open.push_back(std::move(reader));
    } else {
      ++free.unopened;
    }
  });
  changed_.notify_one();
}

}  // namespace davit::store
