import { useEffect } from "react";
import { visible } from "./visible";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${visible(title)} · davit`;
  }, [title]);
}
