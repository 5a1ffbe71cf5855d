// Every reason for which a library file is refused, in one table: the stable code, and what a person can do
// about it. A refusal's sentence is what was seen, followed by the remedy from here.
#pragma once

#include <string>
#include <string_view>

#include "host/model/plugin_info.h"

namespace davit::plugin {

struct RefusalCode {
  std::string_view code;
  std::string_view remedy;
  bool passing = false;  // may be gone at the next scan although the bytes are the same
};

namespace refusal {
// The place of the file.
inline constexpr RefusalCode kFifo{"fifo", "Take the pipe away, and put the library itself there."};
inline constexpr RefusalCode kDirectory{
    "directory",
    "Put the library itself there; a folder of libraries is looked into if its name does not end in .so."};
inline constexpr RefusalCode kNotRegularFile{"not_regular_file", "Put a plain file there, or take it away."};
inline constexpr RefusalCode kBrokenLink{"broken_link",
                                         "Let the link point to a file that exists, or remove it."};
inline constexpr RefusalCode kEscapingLink{"escaping_link",
                                           "Copy the file into the plugins folder instead of linking to it."};
inline constexpr RefusalCode kFileWritableByOthers{
    "file_writable_by_others", "Run chmod go-w on it, or list the file's name under plugins.allow_writable."};
inline constexpr RefusalCode kFolderWritableByOthers{
    "folder_writable_by_others",
    "Run chmod go-w on the folder, or list its name under plugins.allow_writable: who may write there may "
    "exchange its files."};
inline constexpr RefusalCode kForeignOwner{"foreign_owner",
                                           "Let it belong to the user davit runs as, or to root."};
inline constexpr RefusalCode kUnreadable{"unreadable", "Make it readable for the user davit runs as.", true};
inline constexpr RefusalCode kTooLarge{"too_large",
                                       "Strip the library of its debug information (strip --strip-debug)."};
inline constexpr RefusalCode kNotSettled{
    "not_settled",
    "Nothing to do: it is looked at again shortly. Renaming a finished file into place avoids the wait.",
    true};
inline constexpr RefusalCode kProbing{"probing", "Nothing to do: its probe has not ended yet.", true};
inline constexpr RefusalCode kStoreUnusable{
    "store_unusable", "Repair the store folder; the files are looked at again then.", true};
inline constexpr RefusalCode kNotPinned{"not_pinned",
                                        "Add this hash to plugins.pinned_sha256 if you trust the file."};
inline constexpr RefusalCode kTooManyFiles{
    "too_many_files", "Take what is no plugin out of the plugins folder; it is looked at again then.", true};
inline constexpr RefusalCode kSameName{"same_name",
                                       "Remove one of the two files, or rename what one of them offers."};

// The bytes of the file, before any of its code runs.
inline constexpr RefusalCode kEmptyFile{"empty_file",
                                        "Copy the library there; it is looked at again when it changes."};
inline constexpr RefusalCode kNotElf{"not_elf",
                                     "Build it as a shared library (davit_add_plugin, or cc -shared -fPIC)."};
inline constexpr RefusalCode kWrongClass{"wrong_class", "Build it for 64 bits."};
inline constexpr RefusalCode kWrongMachine{"wrong_machine", "Build it for the machine that davit runs on."};
inline constexpr RefusalCode kNotSharedObject{
    "not_shared_object", "Build it as a shared library, not as a program or object file."};
inline constexpr RefusalCode kTruncated{"truncated",
                                        "Copy the file again; it is looked at again when it changes."};
inline constexpr RefusalCode kMalformedElf{"malformed_elf", "Build or copy the file again."};
inline constexpr RefusalCode kNoFactory{"no_factory",
                                        "Export davit_webhook_factory_v1 or davit_agent_factory_v1 "
                                        "(DAVIT_REGISTER_WEBHOOK or DAVIT_REGISTER_AGENT)."};
inline constexpr RefusalCode kAbiMajorTooOld{"abi_major_too_old",
                                             "Build the plugin with the plugin SDK of this davit."};
inline constexpr RefusalCode kAbiMajorTooNew{
    "abi_major_too_new", "Use a newer davit, or build the plugin with the plugin SDK of this one."};

// What the loader and the factories say.
inline constexpr RefusalCode kUnresolvedSymbol{
    "unresolved_symbol", "Link what defines it into the plugin; -Wl,-z,defs tells when it is built."};
inline constexpr RefusalCode kMissingLibrary{
    "missing_library", "Install that library, or link it into the plugin (ldd shows what is missing)."};
inline constexpr RefusalCode kLoadFailed{
    "load_failed",
    "Correct what the loader names; LD_DEBUG=all shows its steps, ldd what the library needs."};
inline constexpr RefusalCode kAbiTooNew{"abi_too_new",
                                        "Use a newer davit, or build the plugin to need an older ABI minor."};
inline constexpr RefusalCode kBadFactory{"bad_factory",
                                         "Fill in the factory as davit/abi/webhook.h and agent.h say."};
inline constexpr RefusalCode kMetadataTooLarge{
    "metadata_too_large", "Say what it is in a few lines; what is large has its place elsewhere."};
inline constexpr RefusalCode kMetadataNotUtf8{"metadata_not_utf8", "Write the metadata as UTF-8."};
inline constexpr RefusalCode kMetadataNotJson{
    "metadata_not_json", "Write one JSON object, as davit/abi/webhook.h and agent.h describe it."};
inline constexpr RefusalCode kMetadataControlBytes{
    "metadata_control_bytes", "Take control characters out of its texts; descriptions are one line."};
inline constexpr RefusalCode kMetadataFailed{
    "metadata_failed", "Let metadata() answer DAVIT_OK: it depends on nothing outside."};
inline constexpr RefusalCode kBadMetadata{"bad_metadata",
                                          "Correct the metadata as davit/abi/webhook.h and agent.h say."};
inline constexpr RefusalCode kBadConfigSchema{
    "bad_config_schema", "Use JSON Schema draft 4 with the keywords plugin-sdk/ABI.md lists."};
inline constexpr RefusalCode kBadSignatureScheme{
    "bad_signature_scheme", "Correct the metadata's signature as davit/abi/webhook.h says."};
inline constexpr RefusalCode kDuplicateName{
    "duplicate_name", "Give each webhook and each agent of the library a name of its own."};
inline constexpr RefusalCode kThrew{"threw", "Catch exceptions inside the plugin: none may cross the ABI."};

// What the probe saw (host/isolation).
inline constexpr RefusalCode kConstructorThrew{
    "constructor_threw", "Catch exceptions in the library's constructors and those of its static objects."};
inline constexpr RefusalCode kConstructorCrashed{
    "constructor_crashed", "Debug the library's constructors and those of its static objects."};
inline constexpr RefusalCode kMetadataCrashed{"metadata_crashed",
                                              "Debug the library's factory and metadata functions."};
inline constexpr RefusalCode kProbeExited{
    "probe_exited", "A plugin must not end its process; remove the exit from its constructors."};
inline constexpr RefusalCode kForeignDescriptors{
    "foreign_descriptors",
    "A plugin may write to and close only what it opened itself; correct its constructors and metadata "
    "functions."};
inline constexpr RefusalCode kProbeTimeout{
    "probe_timeout",
    "Constructors and metadata must return within seconds; move slow work to create or later.", true};
inline constexpr RefusalCode kProbeMemory{"probe_memory",
                                          "Constructors and metadata must be frugal; allocate later.", true};
inline constexpr RefusalCode kProbeEndedHost{
    "probe_ended_host", "Put other bytes there; davit plugins rescan has these looked at once more."};
inline constexpr RefusalCode kProbeFailed{
    "probe_failed", "The probe itself could not run; see the log. It is tried again.", true};
}  // namespace refusal

inline constexpr RefusalCode kRefusalCodes[] = {refusal::kFifo,
                                                refusal::kDirectory,
                                                refusal::kNotRegularFile,
                                                refusal::kBrokenLink,
                                                refusal::kEscapingLink,
                                                refusal::kFileWritableByOthers,
                                                refusal::kFolderWritableByOthers,
                                                refusal::kForeignOwner,
                                                refusal::kUnreadable,
                                                refusal::kTooLarge,
                                                refusal::kNotSettled,
                                                refusal::kProbing,
                                                refusal::kStoreUnusable,
                                                refusal::kNotPinned,
                                                refusal::kTooManyFiles,
                                                refusal::kSameName,
                                                refusal::kEmptyFile,
                                                refusal::kNotElf,
                                                refusal::kWrongClass,
                                                refusal::kWrongMachine,
                                                refusal::kNotSharedObject,
                                                refusal::kTruncated,
                                                refusal::kMalformedElf,
                                                refusal::kNoFactory,
                                                refusal::kAbiMajorTooOld,
                                                refusal::kAbiMajorTooNew,
                                                refusal::kUnresolvedSymbol,
                                                refusal::kMissingLibrary,
                                                refusal::kLoadFailed,
                                                refusal::kAbiTooNew,
                                                refusal::kBadFactory,
                                                refusal::kMetadataTooLarge,
                                                refusal::kMetadataNotUtf8,
                                                refusal::kMetadataNotJson,
                                                refusal::kMetadataControlBytes,
                                                refusal::kMetadataFailed,
                                                refusal::kBadMetadata,
                                                refusal::kBadConfigSchema,
                                                refusal::kBadSignatureScheme,
                                                refusal::kDuplicateName,
                                                refusal::kThrew,
                                                refusal::kConstructorThrew,
                                                refusal::kConstructorCrashed,
                                                refusal::kMetadataCrashed,
                                                refusal::kProbeExited,
                                                refusal::kForeignDescriptors,
                                                refusal::kProbeTimeout,
                                                refusal::kProbeMemory,
                                                refusal::kProbeEndedHost,
                                                refusal::kProbeFailed};

// "<what>. <remedy>"
inline Refusal refuse(const RefusalCode& code, std::string what) {
  if (!what.empty() && what.back() != '.') what += '.';
  return Refusal{std::string(code.code), std::move(what) + " " + std::string(code.remedy)};
}

// May a refusal with this code go away without new bytes? Unknown codes do not.
inline bool is_passing(std::string_view code) {
  for (const RefusalCode& known : kRefusalCodes) {
    if (known.code == code) return known.passing;
  }
  return false;
}

// Is this for the process to say in which a library was loaded? All else is found by the host itself, and a
// library that says it in davit's place is not believed.
inline bool is_said_by_loader(std::string_view code) {
  using namespace refusal;
  for (const RefusalCode& known : {kUnreadable,
                                   kFifo,
                                   kDirectory,
                                   kNotRegularFile,
                                   kEmptyFile,
                                   kUnresolvedSymbol,
                                   kMissingLibrary,
                                   kMetadataTooLarge,
                                   kMetadataNotUtf8,
                                   kMetadataNotJson,
                                   kMetadataControlBytes,
                                   kMetadataFailed,
                                   kNotElf,
                                   kWrongClass,
                                   kWrongMachine,
                                   kNotSharedObject,
                                   kTruncated,
                                   kMalformedElf,
                                   kNoFactory,
                                   kAbiMajorTooOld,
                                   kAbiMajorTooNew,
                                   kLoadFailed,
                                   kAbiTooNew,
                                   kBadFactory,
                                   kBadMetadata,
                                   kBadConfigSchema,
                                   kBadSignatureScheme,
                                   kDuplicateName,
                                   kThrew,
                                   kProbeMemory}) {
    if (known.code == code) return true;
  }
  return false;
}

}  // namespace davit::plugin
