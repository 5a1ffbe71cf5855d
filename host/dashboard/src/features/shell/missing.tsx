import { Link } from "@tanstack/react-router";
import { Page } from "../../components/card";
import { Empty } from "../../components/states";
import { useTitle } from "../../lib/title";

export function Missing() {
  useTitle("Not found");
  return (
    <Page>
      <h1 className="sr-only">Not found</h1>
      <Empty icon="search" title="There is no such page">
        <Link to="/" className="link">
          Go to the overview
        </Link>
      </Empty>
    </Page>
  );
}
