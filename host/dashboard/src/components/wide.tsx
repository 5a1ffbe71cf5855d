// What may be wider than the page, a table for one: it scrolls by itself, and an edge behind which there is more of it says so.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Icon } from "./icon";

// `role`: a region is a place one can go to, so its name is the only one of the page; what may be there twice is a group.
export function Wide({
  name,
  role = "region",
  className = "",
  children,
}: {
  name: string;
  role?: "region" | "group";
  className?: string;
  children: ReactNode;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const [more, setMore] = useState({ left: false, right: false });
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = (): void => {
      const left = element.scrollLeft > 1; // fractions of a pixel are no more of it
      const right = element.scrollLeft + element.clientWidth < element.scrollWidth - 1;
      setMore((before) => (before.left === left && before.right === right ? before : { left, right }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    for (const child of element.children) sizes.observe(child);
    return () => {
      element.removeEventListener("scroll", look);
      sizes.disconnect();
    };
  }, []);
  return (
    <div className={`relative ${className}`}>
      {/* Whoever has no mouse can scroll it, too. There may be many groups: where nothing is to be scrolled they are no stop. */}
      <div
        ref={scroller}
        className="max-h-[inherit] overflow-auto"
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={role === "region" || more.left || more.right ? 0 : undefined}
        role={role}
        aria-label={name}
      >
        {children}
      </div>
      {more.left && (
        <span aria-hidden="true" className="edge left-0" data-more="left">
          <Icon name="back" size={14} />
        </span>
      )}
      {more.right && (
        <span aria-hidden="true" className="edge right-0" data-more="right">
          <Icon name="right" size={14} />
        </span>
      )}
    </div>
  );
}
