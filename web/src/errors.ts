/** Something that the person before the page can act on: one clear sentence or two, shown as they are. */
export class PageError extends Error {}
