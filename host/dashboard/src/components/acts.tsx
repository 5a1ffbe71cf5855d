import type { ReactNode } from "react";
import { useMayAct } from "../api/session";

// What only somebody sees who may act: a reader is not offered what davit would refuse him.
export function Acts({ children }: { children: ReactNode }) {
  return useMayAct() && children;
}
