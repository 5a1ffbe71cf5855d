// Numbers and times as people read them. Formatters are made once: making one takes longer than all else of a row of a list.

const wholeNumber = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const dollars = (digits: number): Intl.NumberFormat =>
  new Intl.NumberFormat("en", {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
const toTheCent = dollars(2);
const belowCents = dollars(4);
const exactTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const timeOfDay = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const compactNumber = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function count(value: number): string {
  return wholeNumber.format(value);
}

// "1 task", "2 tasks"
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

export function compact(value: number): string {
  return value < 10_000 ? wholeNumber.format(value) : compactNumber.format(value);
}

// Cents, or what is below a cent to its fourth digit: "$0.0042" is not "$0.00".
export function usd(value: number): string {
  return (value !== 0 && Math.abs(value) < 0.01 ? belowCents : toTheCent).format(value);
}

export function times(value: number): string {
  return value === 1 ? "once" : value === 2 ? "twice" : `${count(value)} times`;
}

export function percent(share: number): string {
  const value = share * 100;
  // 99.96 % is not everything.
  const digits = value > 99.5 && value < 100 ? Math.min(value, 99.9) : value;
  return `${digits.toFixed(Number.isInteger(value) ? 0 : 1)} %`;
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${(size / 1024).toFixed(1)} KiB`;
  return `${(size / 1024 / 1024).toFixed(1)} MiB`;
}

// How long ago, or how soon: "just now", "3 min ago", "in 2 h". What is over is counted in whole ones; what is to come is
// rounded, so that a week that began a moment ago still ends "in 7 d".
export function relative(time: number, now: number): string {
  const seconds = Math.round((now - time) / 1000);
  if (Math.abs(seconds) < 5) return "just now";
  const size = Math.abs(seconds);
  const whole = seconds > 0 ? Math.floor : Math.round;
  const text =
    size < 60
      ? `${size} s`
      : whole(size / 60) < 60
        ? `${whole(size / 60)} min`
        : whole(size / 3600) < 48
          ? `${whole(size / 3600)} h`
          : `${whole(size / 86400)} d`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

// The exact time in the zone of whoever looks, with the zone's name.
export function exact(iso: string): string {
  return exactTime.format(new Date(iso));
}

export function clock(iso: string): string {
  return timeOfDay.format(new Date(iso));
}

export function shortId(id: string): string {
  return id.length > 13 ? id.slice(-12) : id;
}

export function words(name: string): string {
  return name.replaceAll("_", " ");
}
