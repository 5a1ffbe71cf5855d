// What is around every page: navigation, live state, theme, keyboard. Shows the login page until somebody is signed in.
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState } from "react";
import { useLink, useLive } from "../../api/live";
import { overview, plugins } from "../../api/queries";
import { type Role, askSession, signOut, useSession } from "../../api/session";
import { Button } from "../../components/button";
import { Icon } from "../../components/icon";
import { Notices, notify } from "../../components/notices";
import { count } from "../../lib/format";
import { dropDrafts } from "../../lib/draft";
import { useShortcuts } from "../../lib/keys";
import { useHasSide } from "../../lib/media";
import { forgetPlaces } from "../../lib/place";
import { isTurnedAway } from "../../lib/plugins";
import { useScrollKeys } from "../../lib/scroll-keys";
import { LoginPage } from "../login/login-page";
import { Brand } from "./brand";
import { LiveSign, StaleBar } from "./live-sign";
import { type ShownPage, inFront, usePages } from "./pages";
import { ShortcutHelp } from "./shortcut-help";
import { ThemeSwitch } from "./theme-switch";

function leave(): void {
  void signOut().then((wrong) => {
    if (wrong !== null) notify("bad", wrong);
    else dropDrafts();
  });
}

export function Shell() {
  const session = useSession();
  const client = useQueryClient();
  // Nothing of a session outlives it, however it ended.
  useEffect(() => {
    if (session.state !== "out") return;
    client.clear();
    forgetPlaces();
  }, [session, client]);
  // A reload, or another tab, of somebody who is signed in.
  useEffect(() => void askSession(), []);
  if (session.state === "asking") return <main aria-busy="true" aria-label="davit" />;
  if (session.state === "out") return <LoginPage reason={session.reason} />;
  return <SignedIn name={session.name} role={session.role} />;
}

// What waits for somebody, by page.
function useAttention(): Partial<Record<string, Attention>> {
  const waiting = useLive(overview()).data?.queue.awaiting_approval ?? 0;
  const turnedAway = useLive(plugins(), "slow").data?.plugins.filter(isTurnedAway).length ?? 0;
  return {
    "/approvals": { count: waiting, what: "wait" },
    "/plugins": { count: turnedAway, what: "turned away" },
  };
}

interface Attention {
  count: number;
  what: string;
}

const entry =
  "relative flex min-w-0 flex-col items-center gap-0.5 py-1.5 text-[0.6875rem] text-muted hover:text-ink aria-[current=page]:text-accent md:flex-none md:flex-row md:gap-2.5 md:rounded-[7px] md:px-2.5 md:text-sm md:font-medium md:hover:bg-sunken md:aria-[current=page]:bg-sunken md:aria-[current=page]:text-ink";

function PageLink({ page, wants }: { page: ShownPage; wants: Attention | undefined }) {
  return (
    <Link
      to={page.to}
      activeOptions={{ exact: page.to === "/", includeSearch: false }}
      title={`${page.name} (${page.keys})`}
      className={entry}
    >
      <Icon name={page.icon} size={17} />
      {page.name}{" "}
      <Wants wants={wants} />
    </Link>
  );
}

function Wants({ wants }: { wants: Attention | undefined }) {
  if (!wants || wants.count === 0) return null;
  return (
    <span className="rounded-full bg-wait px-1.5 text-[0.6875rem] leading-4 font-semibold text-surface max-md:absolute max-md:top-0.5 max-md:left-[calc(50%+0.35rem)] md:ml-auto">
      {count(wants.count)}
      <span className="sr-only"> {wants.what}</span>
    </span>
  );
}

function searchField(): HTMLInputElement | null {
  return document.querySelector<HTMLInputElement>("input[type=search]");
}

// A reader learns why he is offered nothing to do.
function Who({ name, role }: { name: string; role: Role }) {
  return (
    <p className="flex max-w-full gap-1 text-xs text-muted" title={`Signed in as ${name}${role === "reader" ? ", who only looks" : ""}`}>
      <span className="truncate">{name}</span>
      {role === "reader" && <span className="whitespace-nowrap"> · looks only</span>}
    </p>
  );
}

function SignedIn({ name, role }: { name: string; role: Role }) {
  const shownPages = usePages();
  const hasSide = useHasSide();
  useLink();
  const [helping, setHelping] = useState(false);
  const navigate = useNavigate();
  const attention = useAttention();
  const [more, setMore] = useState(false);
  const rest = useId();
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const resolved = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const shown = useRef(path);
  const searching = useRef(false); // the page that comes was asked for to search on it

  // Whoever cannot see the page change hears it, and goes on from its top.
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    setMore(false);
    main.current?.focus({ preventScroll: true });
  }, [path]);

  // The address changes before the page does.
  useEffect(() => {
    if (!searching.current) return;
    searching.current = false;
    searchField()?.focus();
  }, [resolved]);

  useScrollKeys();
  useShortcuts({
    "?": () => setHelping(true),
    "/": () => {
      const field = searchField();
      if (field) return field.focus();
      searching.current = true;
      void navigate({ to: "/tasks" });
    },
    ...Object.fromEntries(shownPages.map((page) => [page.keys, () => void navigate({ to: page.to })])),
  });

  const buttons = (
    <>
      <Button
        look="quiet"
        icon="keyboard"
        aria-label="Keyboard"
        title="Keyboard (?)"
        className="px-1.5"
        onClick={() => setHelping(true)}
      />
      <Button look="quiet" icon="leave" aria-label="Sign out" title={`Sign out ${name}`} className="px-1.5" onClick={leave} />
    </>
  );
  return (
    <div className="grid h-full grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)_auto] md:grid-cols-[12.5rem_minmax(0,1fr)] md:grid-rows-1">
      <a
        href="#main"
        className="sr-only z-30 rounded bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the page
      </a>
      {!hasSide && (
        <header className="flex items-center gap-2 border-b border-line bg-surface px-3 py-2">
          <span className="shrink-0">
            <Brand />
          </span>
          <div className="ml-auto flex min-w-0 flex-col items-end">
            <LiveSign />
            <Who name={name} role={role} />
          </div>
          <span className="flex shrink-0 gap-2">{buttons}</span>
        </header>
      )}
      <aside aria-label="Pages and settings" className="order-last flex flex-col border-line bg-surface max-md:border-t md:order-none md:min-h-0 md:border-r">
        {hasSide && (
          <div className="px-4 pt-4 pb-3">
            <Brand />
          </div>
        )}
        <nav aria-label="Pages" className="max-md:grid max-md:grid-cols-5 md:flex md:flex-1 md:flex-col md:gap-0.5 md:overflow-y-auto md:px-2">
          {shownPages.slice(0, inFront).map((page) => (
            <PageLink key={page.to} page={page} wants={attention[page.to]} />
          ))}
          <button
            type="button"
            aria-expanded={more}
            aria-controls={rest}
            data-here={shownPages.slice(inFront).some((page) => path.startsWith(page.to)) || undefined}
            className={`${entry} data-here:text-accent md:hidden`}
            onClick={() => setMore(!more)}
          >
            <Icon name="more" size={17} />
            {more ? "Less" : "More"}
            {!more && <Wants wants={shownPages.slice(inFront).map((page) => attention[page.to]).find((each) => each && each.count > 0)} />}
          </button>
          <div id={rest} className={`${more ? "max-md:grid" : "max-md:hidden"} max-md:col-span-5 max-md:grid-cols-5 md:contents`}>
            {shownPages.slice(inFront).map((page) => (
              <PageLink key={page.to} page={page} wants={attention[page.to]} />
            ))}
          </div>
        </nav>
        {hasSide ? (
          <div className="flex flex-col gap-2 border-t border-line p-3">
            <LiveSign />
            <Who name={name} role={role} />
            <div className="flex items-center gap-1">
              <ThemeSwitch />
              <span className="ml-auto" />
              {buttons}
            </div>
          </div>
        ) : (
          more && (
            <div className="flex items-center justify-between gap-3 border-t border-line px-4 py-2 text-sm text-muted">
              Theme
              <ThemeSwitch />
            </div>
          )
        )}
      </aside>
      <main id="main" ref={main} tabIndex={-1} className="flex min-h-0 min-w-0 flex-col outline-none">
        <StaleBar />
        <div className="min-h-0 flex-1">
          <Outlet />
        </div>
      </main>
      <Notices />
      {helping && <ShortcutHelp onClose={() => setHelping(false)} />}
    </div>
  );
}
