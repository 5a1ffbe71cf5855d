// The browser's own select with its name inside: "Status: any".
export function Select({
  name,
  value,
  options,
  any = "any",
  usual,
  onChange,
}: {
  name: string;
  value: string | undefined;
  options: readonly (string | readonly [string, string])[];
  any?: string | null; // null: there is no such choice
  usual?: string; // what stands there unless somebody chooses
  onChange: (value: string) => void;
}) {
  const pairs = options.map((option) => (typeof option === "string" ? ([option, option] as const) : option));
  // One that the address names and nobody knows (an agent that is gone) can be seen and taken away.
  const unknown = value !== undefined && !pairs.some(([each]) => each === value);
  return (
    <select
      aria-label={name}
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value)}
      className={`field min-w-0 pr-1 sm:max-w-44 ${value && value !== usual ? "border-accent font-medium" : ""}`}
    >
      {any !== null && (
        <option value="">
          {name}: {any}
        </option>
      )}
      {unknown && <option value={value}>{value}</option>}
      {pairs.map(([each, label]) => (
        <option key={each} value={each}>
          {label}
        </option>
      ))}
    </select>
  );
}
