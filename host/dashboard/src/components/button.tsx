import type { ComponentProps } from "react";
import { Icon, type IconName } from "./icon";

const looks = {
  plain: "border-line-strong bg-surface text-ink hover:bg-sunken",
  main: "border-transparent bg-accent text-on-accent hover:bg-accent-strong",
  danger: "border-bad bg-surface text-bad hover:bg-sunken",
  quiet: "border-transparent bg-transparent text-muted hover:bg-sunken hover:text-ink",
} as const;

type Props = ComponentProps<"button"> & { look?: keyof typeof looks; icon?: IconName };

export function Button({ look = "plain", icon, children, className = "", ...rest }: Props) {
  return (
    <button
      type="button"
      className={`inline-flex h-8 items-center justify-center gap-1.5 rounded-[7px] border px-2.5 text-sm font-medium whitespace-nowrap transition-colors disabled:opacity-50 ${looks[look]} ${className}`}
      {...rest}
    >
      {icon && <Icon name={icon} size={15} />}
      {children}
    </button>
  );
}
