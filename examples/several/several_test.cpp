// What the webhooks and agents of the library make of tickets and surveys, one after the other as the host
// would ask them. Run by ctest.
#include <davit/testing/golden.hpp>
#include <davit/testing/library.hpp>

using namespace davit::testing;

namespace {

// A library with several asks for them by number; what a number is called says its metadata.
template <class Factory>
std::uint32_t number_of(const Factory* factory, const std::string& name) {
  FakeHost host;
  for (std::uint32_t index = 0; index < factory->count; ++index) {
    const davit::Json metadata = davit::Json::parse(metadata_of(factory, index, host).output);
    if (metadata["name"] == name) return index;
  }
  throw std::runtime_error("the library does not offer " + name);
}

Outcome deliver(const davit_webhook_factory* factory, const std::string& name, const std::string& body) {
  FakeHost host;
  RequestBuilder request(body);
  return WebhookDriver(factory, number_of(factory, name), host).deliver(request);
}

Outcome run(const davit_agent_factory* factory, const std::string& name, const davit::Json& context) {
  FakeHost host;
  return AgentDriver(factory, number_of(factory, name), host).run(context);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const Library library(arguments[1]);
  const davit_webhook_factory* webhooks = library.webhooks();
  const davit_agent_factory* agents = library.agents();
  Checks checks;
  checks.that("two webhooks and two agents, of two files", webhooks->count == 2 && agents->count == 2);
  checks.all(
      check_delivery(webhooks, number_of(webhooks, "desk-surveys"), "testdata/bad-survey.delivery.json"));

  const davit::Json ticket =
      davit::Json::parse(deliver(webhooks, "desk-tickets", R"({"id": "T-7", "text": "All is down"})").output);
  checks.equal("a ticket's task is", ticket["tasks"][0]["title"].string_or(""), "Ticket T-7");
  checks.equal("a ticket's agent is", ticket["tasks"][0]["agent"].string_or(""), "desk-sorter");
  checks.equal("it is about", ticket["entity"]["key"].string_or(""), "ticket/T-7");
  checks.that("a ticket without id is refused",
              deliver(webhooks, "desk-tickets", "{}").status == davit::Status::InvalidInput);

  davit::Json context = AgentDriver::context(ticket["tasks"][0]["payload"]);
  const davit::Json sorted = davit::Json::parse(run(agents, "desk-sorter", context).output);
  checks.equal("an urgent ticket's drawer is", sorted["output"]["drawer"].string_or(""), "urgent");
  checks.equal("its next agent is", sorted["next_agent"].string_or(""), "desk-answerer");
  context.set("previous_result", sorted["output"]);
  const davit::Json answered = davit::Json::parse(run(agents, "desk-answerer", context).output);
  checks.equal("the draft is", answered["output"]["draft"].string_or(""),
               "Dear customer, we look into it (urgent).");
  return checks.exit_code();
}
