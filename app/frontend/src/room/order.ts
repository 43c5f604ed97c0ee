// Which rows stand where: by staff number, but never moved while somebody is at them.

/** `held`: the pointer is over the rows or the focus in them. Then every row stays, also of who has gone, and who is new comes last. */
export function placed(shown: readonly string[], now: readonly string[], held: boolean): string[] {
  if (!held) return [...now].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
  const known = new Set(shown)
  return [...shown, ...now.filter((one) => !known.has(one))]
}
