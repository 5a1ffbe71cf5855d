import { Icon, type IconName } from "../../components/icon";
import { type Theme, themes, useTheme } from "../../lib/theme";

const looks: Record<Theme, [IconName, string]> = {
  system: ["screen", "As the system"],
  light: ["sun", "Light"],
  dark: ["moon", "Dark"],
};

export function ThemeSwitch() {
  const [theme, setTheme] = useTheme();
  return (
    <div role="group" aria-label="Theme" className="inline-flex rounded-[7px] border border-line bg-sunken p-0.5">
      {themes.map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={theme === each}
          aria-label={looks[each][1]}
          title={looks[each][1]}
          onClick={() => setTheme(each)}
          className="rounded-[5px] p-1.5 text-muted hover:text-ink aria-pressed:bg-surface aria-pressed:text-ink aria-pressed:shadow-card"
        >
          <Icon name={looks[each][0]} size={14} />
        </button>
      ))}
    </div>
  );
}
