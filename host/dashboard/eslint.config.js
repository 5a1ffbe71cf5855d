import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  js.configs.recommended,
  ...tseslint.configs.strict,
  jsxA11y.flatConfigs.strict,
  reactHooks.configs.flat["recommended-latest"],
  {
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      // No compiler of React is used, so it skips nothing.
      "react-hooks/incompatible-library": "off",
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Text from outside is text: let React put it in." },
        { property: "outerHTML", message: "Text from outside is text: let React put it in." },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: "Text from outside is text: let React put it in.",
        },
      ],
    },
  },
  { files: ["*.mjs"], languageOptions: { globals: { process: "readonly", Buffer: "readonly" } } },
);
