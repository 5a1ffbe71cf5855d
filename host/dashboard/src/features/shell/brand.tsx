import icon from "../../icon.svg";

export function Brand() {
  return (
    <span className="flex items-center gap-2">
      <img src={icon} alt="" width={26} height={26} />
      <span className="text-lg font-semibold tracking-tight">davit</span>
    </span>
  );
}
