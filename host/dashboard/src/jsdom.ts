// For tests: what pages use and jsdom does not have. Nothing has a size there, so nothing changes it.
globalThis.ResizeObserver ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};

if (typeof window !== "undefined") window.scrollTo = () => undefined;

if (typeof HTMLDialogElement !== "undefined") {
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true;
  };
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
    this.open = false;
  };
}

// What a page has given to be saved is forgotten later than its test.
URL.revokeObjectURL ??= () => undefined;
