// The same while it is developed (jsx-runtime.ts).
import { type ElementType, type ReactElement } from "react";
import { Fragment, jsxDEV as make, type JSXSource } from "react/jsx-dev-runtime";
import { withShown } from "./jsx-runtime";

export type { JSX } from "react/jsx-dev-runtime";
export { Fragment };

export const jsxDEV = (type: ElementType, props: object, key: string | undefined, isStatic: boolean, source?: JSXSource, self?: unknown): ReactElement =>
  make(type, withShown(props), key, isStatic, source, self);
