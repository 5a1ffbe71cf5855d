// Who may ask, what was asked, and which libraries are kept from serving.
#include "host/store/access.h"
#include "host/store/audit.h"
#include "host/store/plugin_crashes.h"
#include "host/store/store_impl.h"

namespace davit::store {

void Store::create_token(AccessToken token, Done<> done, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               [token = std::move(token)](Session& session) {
                 AccessToken made = token;
                 made.created_at = session.batch.now;
                 return store::create_token(session.database, made);
               });
}

void Store::revoke_token(std::string name, Done<AccessToken> done, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               [name = std::move(name)](Session& session) {
                 return store::revoke_token(session.database, name, session.batch.now);
               });
}

void Store::note_token_use(std::string sha256) {
  impl_->write(Lane::Ingest, 256, Done<>(), [sha256 = std::move(sha256)](Session& session) -> Result<> {
    store::note_token_use(session.database, sha256, session.batch.now);
    return {};
  });
}

void Store::open_session(LoginSession opened, SessionLimits limits, Done<std::vector<std::string>> done,
                         Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               [opened = std::move(opened), limits](Session& session) -> Result<std::vector<std::string>> {
                 return store::open_session(session.database, opened, limits);
               });
}

void Store::note_session_use(std::string sha256) {
  impl_->write(Lane::Ingest, 256, Done<>(), [sha256 = std::move(sha256)](Session& session) -> Result<> {
    store::note_session_use(session.database, sha256, session.batch.now);
    return {};
  });
}

void Store::close_session(std::string sha256, Done<> done, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               [sha256 = std::move(sha256)](Session& session) -> Result<> {
                 store::close_session(session.database, sha256);
                 return {};
               });
}

void Store::note_audit(AuditEntry entry, Done<> done) {
  impl_->write(Lane::Ingest, 1'024, std::move(done),
               [entry = std::move(entry)](Session& session) -> Result<> {
                 store::note_audit(session.database, entry, session.batch.now);
                 return {};
               });
}

void Store::begin_audit(AuditEntry entry, Done<std::int64_t> done) {
  entry.outcome = "begun";
  impl_->write(Lane::Urgent, 1'024, std::move(done),
               [entry = std::move(entry)](Session& session) -> Result<std::int64_t> {
                 return store::note_audit(session.database, entry, session.batch.now);
               });
}

void Store::end_audit(std::int64_t number, std::string outcome, std::string reason) {
  impl_->write(
      Lane::Urgent, 1'024, Done<>(),
      [number, outcome = std::move(outcome), reason = std::move(reason)](Session& session) -> Result<> {
        store::end_audit(session.database, number, outcome, reason);
        return {};
      });
}

void Store::note_crash(PluginCrash crash, QuarantineRule rule, Done<bool> done) {
  impl_->write(Lane::Urgent, 512, std::move(done),
               [crash = std::move(crash), rule](Session& session) -> Result<bool> {
                 return store::note_crash(session.database, crash, rule);
               });
}

void Store::clear_crashes(std::set<std::string> sha256s, Done<> done, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               [sha256s = std::move(sha256s)](Session& session) -> Result<> {
                 for (const std::string& sha256 : sha256s) store::clear_crashes(session.database, sha256);
                 return {};
               });
}

Result<std::vector<AccessToken>> Store::tokens() const {
  return impl_->readers_.read([](Reader& reader) { return read_tokens(reader); });
}

Result<std::vector<LoginSession>> Store::sessions() const {
  return impl_->readers_.read([](Reader& reader) { return read_sessions(reader); });
}

Result<Page<AuditEntry>> Store::audit(const AuditFilter& filter) const {
  return impl_->readers_.read([&](Reader& reader) { return list_audit(reader, filter); });
}

Result<std::vector<Quarantine>> Store::quarantines() const {
  return impl_->readers_.read([](Reader& reader) { return read_quarantines(reader); });
}

}  // namespace davit::store
