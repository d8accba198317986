/** Elements of the page. */
export function at<E extends HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as E;
}

export function make<K extends keyof HTMLElementTagNameMap>(kind: K, name: string, parent: HTMLElement): HTMLElementTagNameMap[K] {
  const element = document.createElement(kind);
  if (name) element.className = name;
  parent.append(element);
  return element;
}

/** Set a text only where it changes, so that a screen reader does not say it again. */
export function write(id: string, text: string): void {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
}
