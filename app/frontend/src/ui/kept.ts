// What a person chose on this computer, whoever signs in. A browser that keeps nothing shows the choice until the page is closed.

export function remembered(key: string): string | null {
  try {
    return typeof localStorage === 'undefined' ? null : localStorage.getItem(key)
  } catch {
    return null
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Nothing to do: what was chosen is shown all the same.
  }
}
