// A page of fixed slots. A thread takes a free slot by setting `taken`, writes its note, then sets `noted`;
// leaving clears both. A reader of the next life believes only slots with `noted` set. When all slots are
// taken (more threads in plugins than slots), the call goes unnoted rather than waits.
#include "host/plugin/breadcrumb.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <thread>

#include "host/base/file.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kSlots = 128;
constexpr std::uint64_t kMagic = 0x31636264'74697664;  // "dvitdbc1"

struct Slot {
  std::atomic<std::uint32_t> taken;
  std::atomic<std::uint32_t> noted;
  std::int64_t began_unix_ms;
  char plugin[64];
  char sha256[64];
  char call[24];
  char request_id[40];
};

template <std::size_t N>
void put(char (&into)[N], std::string_view text) {
  std::size_t count = std::min(text.size(), N);
  if (count > 0) std::memcpy(into, text.data(), count);
  if (count < N) into[count] = '\0';
}

template <std::size_t N>
std::string taken_from(const char (&text)[N]) {
  return std::string(text, strnlen(text, N));
}

}  // namespace

struct BreadcrumbFile::Page {
  std::uint64_t magic;
  std::uint64_t slot_bytes;
  Slot slots[kSlots];
};

std::vector<UnfinishedCall> BreadcrumbFile::left_behind(const std::filesystem::path& file) {
  std::vector<UnfinishedCall> calls;
  auto bytes = read_file(file, 1u << 20);
  if (!bytes || bytes->size() != sizeof(Page)) return calls;
  auto page = std::make_unique<Page>();
  std::memcpy(static_cast<void*>(page.get()), bytes->data(), sizeof(Page));
  if (page->magic != kMagic || page->slot_bytes != sizeof(Slot)) return calls;
  for (const Slot& slot : page->slots) {
    if (slot.noted.load() != 1) continue;
    calls.push_back({taken_from(slot.plugin), taken_from(slot.sha256), taken_from(slot.call),
                     taken_from(slot.request_id), from_unix_ms(slot.began_unix_ms)});
  }
  return calls;
}

Result<std::unique_ptr<BreadcrumbFile>> BreadcrumbFile::open(const std::filesystem::path& file,
                                                             const Clock& clock) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  // Allocated for real: a full disk must fail here, not as SIGBUS at a note.
  if (!fd.open() || ::ftruncate(fd.number(), 0) != 0 ||
      ::posix_fallocate(fd.number(), 0, sizeof(Page)) != 0) {
    return Error{ErrorCode::Unavailable, file.string() + ": cannot be made: " + errno_text(errno)};
  }
  void* memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd.number(), 0);
  if (memory == MAP_FAILED) {
    return Error{ErrorCode::Unavailable, file.string() + ": cannot be mapped: " + errno_text(errno)};
  }
  auto* page = new (memory) Page{};
  page->magic = kMagic;
  page->slot_bytes = sizeof(Slot);
  return std::unique_ptr<BreadcrumbFile>(new BreadcrumbFile(page, clock));
}

BreadcrumbFile::~BreadcrumbFile() { ::munmap(page_, sizeof(Page)); }

std::size_t BreadcrumbFile::enter(const CallNote& note) {
  // Threads start looking at different slots, so that they seldom meet.
  std::size_t start = std::hash<std::thread::id>{}(std::this_thread::get_id());
  for (std::size_t i = 0; i < kSlots; ++i) {
    std::size_t number = (start + i) % kSlots;
    Slot& slot = page_->slots[number];
    if (slot.taken.load(std::memory_order_relaxed) != 0 ||
        slot.taken.exchange(1, std::memory_order_acquire) != 0)
      continue;
    slot.began_unix_ms = to_unix_ms(clock_.wall());
    put(slot.plugin, note.plugin);
    put(slot.sha256, note.sha256);
    put(slot.call, note.call);
    put(slot.request_id, note.request_id);
    slot.noted.store(1, std::memory_order_release);
    return number;
  }
  return kSlots;
}

void BreadcrumbFile::leave(std::size_t number) {
  if (number >= kSlots) return;
  page_->slots[number].noted.store(0, std::memory_order_relaxed);
  page_->slots[number].taken.store(0, std::memory_order_release);
}

}  // namespace davit::plugin
