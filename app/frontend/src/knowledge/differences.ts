// What has been taken out of a text and put into it: character by character, since Chinese has no words to compare.

export interface Piece {
  kind: 'same' | 'out' | 'in'
  text: string
}

/** Beyond so many comparisons the middle of a text is shown as replaced: it was written anew anyway. */
const MOST = 4_000_000

export function differences(before: string, after: string): Piece[] {
  const [a, b] = [[...before], [...after]]
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const middle = between(a.slice(head, a.length - tail), b.slice(head, b.length - tail))
  return joined([{ kind: 'same', text: a.slice(0, head).join('') }, ...middle, { kind: 'same', text: a.slice(a.length - tail).join('') }])
}

/** Neighbours of one kind made one, empty ones left out. */
function joined(pieces: Piece[]): Piece[] {
  const made: Piece[] = []
  for (const piece of pieces) {
    const last = made[made.length - 1]
    if (!piece.text) continue
    if (last?.kind === piece.kind) last.text += piece.text
    else made.push({ ...piece })
  }
  return made
}

/** By the longest common subsequence. */
function between(a: string[], b: string[]): Piece[] {
  const replaced: Piece[] = [
    { kind: 'out', text: a.join('') },
    { kind: 'in', text: b.join('') },
  ]
  if (!a.length || !b.length || a.length * b.length > MOST) return replaced
  const width = b.length + 1
  const common = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!)
    }
  }
  const pieces: Piece[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      pieces.push({ kind: 'same', text: a[i++]! })
      j++
    } else if (j >= b.length || (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) pieces.push({ kind: 'out', text: a[i++]! })
    else pieces.push({ kind: 'in', text: b[j++]! })
  }
  return pieces
}
