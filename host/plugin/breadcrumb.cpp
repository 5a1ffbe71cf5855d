// A page of fixed slots. A thread takes a free slot by setting `taken`, writes its note, then sets `noted`;
// leaving clears both. A reader of the next life believes only slots with `noted` set. When all slots are
// taken (more threads in plugins than slots), the call goes unnoted rather than waits.
//
// Who is to blame when several calls are under way: the one whose thread got the fatal signal or called
// exit(). The handler has nothing but atomic stores into the page to do. An end that no handler sees
// (SIGKILL, _exit(), a stack that overflowed) leaves all of them under suspicion. A thread that is in no call
// may be a plugin's own: where it was is looked up among the libraries in the next life.
#include "host/plugin/breadcrumb.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>
#include <thread>

#include "host/base/file.h"
#include "host/base/lost_descriptors.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kSlots = 128;
constexpr std::size_t kLibraries = 256;                // those loaded later are not known
constexpr std::uint64_t kMagic = 0x33636264'74697664;  // "dvitdbc3"

enum class Fault : std::uint32_t { Unknown, InACall, Elsewhere, Nobodys };
enum class Cause : std::uint32_t { Unknown, Hang, Descriptors };

struct Slot {
  std::atomic<std::uint32_t> taken;
  std::atomic<std::uint32_t> noted;
  std::atomic<std::uint32_t> guilty;
  std::atomic<std::int64_t> end_by;  // ticks of the monotonic clock
  std::int64_t began_unix_ms;
  char plugin[64];
  char sha256[64];
  char call[24];
  char request_id[40];
};

struct Library {
  std::uintptr_t begin, end;  // addresses
  char plugin[64];
  char sha256[64];
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
  std::atomic<Fault> fault;
  std::atomic<Cause> cause;
  std::atomic<std::uintptr_t> place;  // the instruction of a fatal signal outside of any call
  std::atomic<std::uint32_t> libraries_known;
  Library libraries[kLibraries];
  Slot slots[kSlots];
};

namespace {

// What a handler of the process can reach.
std::atomic<std::atomic<Fault>*> watched_fault{nullptr};
std::atomic<std::atomic<std::uintptr_t>*> watched_place{nullptr};
thread_local Slot* own_slot = nullptr;
constexpr int kFatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
struct sigaction former_actions[std::size(kFatal)];

void note_end() {
  std::atomic<Fault>* fault = watched_fault.load();
  if (fault == nullptr || fault->load() != Fault::Unknown) return;
  if (own_slot != nullptr) own_slot->guilty.store(1);
  fault->store(own_slot != nullptr ? Fault::InACall : Fault::Elsewhere);
}

std::uintptr_t instruction_of(const void* context) {
  const mcontext_t& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return machine.pc;
#else
  static_cast<void>(machine);
  return 0;
#endif
}

void on_fatal_signal(int number, siginfo_t* info, void* context) {
  if (auto* place = watched_place.load()) place->store(instruction_of(context));
  note_end();
  for (std::size_t i = 0; i < std::size(kFatal); ++i) {
    if (kFatal[i] == number) ::sigaction(number, &former_actions[i], nullptr);
  }
  // Returning does again what was fatal, this time without us; what was sent rather than done is sent again.
  if (info->si_code <= 0) ::raise(number);
}

// A plugin has no right to end the process, and an orderly end beside threads that go on would not be one. A
// crash tells the supervisor what happened, also when it happens before anything is served.
void on_exit_of_process() {
  if (own_slot == nullptr) return;
  note_end();
  std::abort();
}

std::string sentence_of(Cause cause) {
  switch (cause) {
    case Cause::Hang:
      return "it did not come back in time";
    case Cause::Descriptors:
      return "the host's descriptors were closed";
    case Cause::Unknown:
      break;
  }
  return "";
}

UnfinishedCall call_in(const Slot& slot, Cause cause) {
  return {.plugin = taken_from(slot.plugin),
          .sha256 = taken_from(slot.sha256),
          .call = taken_from(slot.call),
          .request_id = taken_from(slot.request_id),
          .began_at = from_unix_ms(slot.began_unix_ms),
          .cause = sentence_of(cause),
          .is_seen = slot.guilty.load() == 1 || cause != Cause::Unknown};
}

struct Range {
  const char* name;
  std::uintptr_t begin = 0, end = 0;
};

// For dl_iterate_phdr.
int find_range(dl_phdr_info* library, std::size_t, void* wanted) {
  auto& range = *static_cast<Range*>(wanted);
  if (std::strcmp(library->dlpi_name, range.name) != 0) return 0;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const auto& segment = library->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    const std::uintptr_t begin = library->dlpi_addr + segment.p_vaddr;
    range.begin = range.end == 0 ? begin : std::min(range.begin, begin);
    range.end = std::max(range.end, begin + segment.p_memsz);
  }
  return 1;
}

}  // namespace

std::vector<UnfinishedCall> BreadcrumbFile::left_behind(const std::filesystem::path& file) {
  std::vector<UnfinishedCall> calls;
  auto bytes = read_file(file, 1u << 20);
  if (!bytes || bytes->size() != sizeof(Page)) return calls;
  auto page = std::make_unique<Page>();
  std::memcpy(static_cast<void*>(page.get()), bytes->data(), sizeof(Page));
  if (page->magic != kMagic || page->slot_bytes != sizeof(Slot)) return calls;
  const Fault fault = page->fault.load();
  if (fault == Fault::Nobodys) return calls;
  if (fault == Fault::Elsewhere) {
    const std::uintptr_t place = page->place.load();
    const std::size_t known = std::min<std::size_t>(page->libraries_known.load(), kLibraries);
    for (std::size_t i = 0; i < known && calls.empty(); ++i) {
      const Library& library = page->libraries[i];
      if (place < library.begin || place >= library.end) continue;
      calls.push_back({.plugin = taken_from(library.plugin),
                       .sha256 = taken_from(library.sha256),
                       .call = std::string(kNoCall),
                       .request_id = "",
                       .began_at = {},
                       .cause = "it was in a thread of its own",
                       .is_seen = true});
    }
    return calls;
  }
  const Cause cause = page->cause.load();
  for (const Slot& slot : page->slots) {
    if (slot.noted.load() == 1 && (fault == Fault::Unknown || slot.guilty.load() == 1))
      calls.push_back(call_in(slot, cause));
  }
  return calls;
}

Result<std::unique_ptr<BreadcrumbFile>> BreadcrumbFile::open(const std::filesystem::path& file,
                                                             const Clock& clock) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  // Allocated for real: a full disk must fail here, not as SIGBUS at a note. What was allocated before stays.
  struct stat info {};
  const bool allocated = fd.open() && ::fstat(fd.number(), &info) == 0 && info.st_size == sizeof(Page);
  if (!fd.open() || (!allocated && (::ftruncate(fd.number(), 0) != 0 ||
                                    ::posix_fallocate(fd.number(), 0, sizeof(Page)) != 0))) {
    return Error{ErrorCode::Unavailable, file.string() + ": cannot be made: " + errno_text(errno)};
  }
  void* memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd.number(), 0);
  if (memory == MAP_FAILED) {
    return Error{ErrorCode::Unavailable, file.string() + ": cannot be mapped: " + errno_text(errno)};
  }
  auto* page = new (memory) Page{};
  page->magic = kMagic;
  page->slot_bytes = sizeof(Slot);
  if (::fstat(fd.number(), &info) != 0)
    return Error{ErrorCode::Unavailable, file.string() + ": cannot be looked at: " + errno_text(errno)};
  return std::unique_ptr<BreadcrumbFile>(new BreadcrumbFile(page, std::move(fd), info.st_ino, clock));
}

BreadcrumbFile::~BreadcrumbFile() {
  std::atomic<Fault>* own = &page_->fault;
  if (watched_fault.compare_exchange_strong(own, nullptr)) watched_place.store(nullptr);
  ::munmap(page_, sizeof(Page));
}

void BreadcrumbFile::watch_for_ends() {
  watched_place.store(&page_->place);
  watched_fault.store(&page_->fault);
  struct sigaction action {};
  action.sa_sigaction = on_fatal_signal;
  action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  for (std::size_t i = 0; i < std::size(kFatal); ++i) ::sigaction(kFatal[i], &action, &former_actions[i]);
  std::atexit(on_exit_of_process);
}

void BreadcrumbFile::blame_nobody() { page_->fault.store(Fault::Nobodys); }

bool BreadcrumbFile::in_use() const {
  return std::any_of(std::begin(page_->slots), std::end(page_->slots),
                     [](const Slot& slot) { return slot.noted.load() == 1; });
}

std::optional<UnfinishedCall> BreadcrumbFile::hanging(MonotonicTime now) {
  if (page_->fault.load() == Fault::Nobodys) return std::nullopt;
  for (Slot& slot : page_->slots) {
    if (slot.noted.load() != 1 || now.time_since_epoch().count() < slot.end_by.load()) continue;
    slot.guilty.store(1);
    page_->cause.store(Cause::Hang);
    page_->fault.store(Fault::InACall);
    return call_in(slot, Cause::Hang);
  }
  return std::nullopt;
}

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
    slot.end_by.store(note.end_by.time_since_epoch().count(), std::memory_order_relaxed);
    slot.noted.store(1);  // in one order with what a watchdog says about its sleep
    own_slot = &slot;
    return number;
  }
  return kSlots;
}

void BreadcrumbFile::leave(std::size_t number) {
  if (!has_its_descriptor() && page_->fault.load() == Fault::Unknown) {
    page_->cause.store(Cause::Descriptors);
    end_without_descriptors();
  }
  if (number >= kSlots) return;
  own_slot = nullptr;
  page_->slots[number].noted.store(0, std::memory_order_relaxed);
  page_->slots[number].taken.store(0, std::memory_order_release);
}

bool BreadcrumbFile::has_its_descriptor() const {
  struct stat info {};
  return ::fstat(fd_.number(), &info) == 0 && info.st_ino == inode_;
}

void BreadcrumbFile::loaded(std::string_view plugin, std::string_view sha256,
                            const std::filesystem::path& library) {
  Range range{library.c_str()};
  if (::dl_iterate_phdr(find_range, &range) == 0) return;
  // Where it lies now, one that was unloaded may have lain before.
  const std::uint32_t known = page_->libraries_known.load();
  std::uint32_t at = 0;
  while (at < known && (page_->libraries[at].end <= range.begin || range.end <= page_->libraries[at].begin))
    ++at;
  if (at == kLibraries) return;
  Library& entry = page_->libraries[at];
  entry.begin = range.begin;
  entry.end = range.end;
  put(entry.plugin, plugin);
  put(entry.sha256, sha256);
  page_->libraries_known.store(std::max(known, at + 1));
}

}  // namespace davit::plugin
