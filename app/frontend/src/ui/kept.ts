// What is kept on this computer, whoever signs in. A browser that keeps nothing shows a choice until the page is closed.

export function remembered(key: string): string | null {
  try {
    return typeof localStorage === 'undefined' ? null : localStorage.getItem(key)
  } catch {
    return null
  }
}

/** Null takes it away. */
export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // Nothing to do: what was chosen is shown all the same.
  }
}
