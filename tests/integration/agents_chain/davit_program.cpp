#include "tests/integration/agents_chain/davit_program.h"

#include "tests/support/running_host.h"

namespace davit::testing {

struct DavitProgram::Inside {
  RunningHost host;
};

DavitProgram::DavitProgram() : inside_(std::make_unique<Inside>()) {}
DavitProgram::~DavitProgram() = default;

std::filesystem::path DavitProgram::folder() const { return inside_->host.folder(); }

void DavitProgram::install(const std::string& plugin) {
  inside_->host.install(std::filesystem::path(DAVIT_STRIPPED_PLUGINS) / (plugin + ".so"));
}

std::map<std::string, std::string>& DavitProgram::environment() { return inside_->host.environment; }

void DavitProgram::configure(const std::string& sections) { inside_->host.configure(sections); }

bool DavitProgram::start() { return inside_->host.start(); }

void DavitProgram::kill() { inside_->host.end(SIGKILL); }

int DavitProgram::pid() const { return inside_->host.pid(); }

bool DavitProgram::stop() { return inside_->host.end(SIGTERM) == 0; }

DavitProgram::Answer DavitProgram::api(const std::string& method, const std::string& target,
                                       const std::string& body) {
  const test::RawAnswer answer = inside_->host.api(method, target, body);
  return {answer.status, answer.body};
}

std::string DavitProgram::command(std::vector<std::string> words) {
  words.push_back("--url=http://127.0.0.1:" + std::to_string(inside_->host.port()));
  return inside_->host.command(std::move(words)).text;
}

std::string DavitProgram::log() const { return inside_->host.log(); }

}  // namespace davit::testing
