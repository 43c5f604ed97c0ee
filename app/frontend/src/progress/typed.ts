// Pure: what a citizen typed. Numbers are read from letters and notes: blanks, dashes and full-width digits are all right.

/** The digits of a text, in ASCII. */
export const digits = (text: string): string => text.normalize('NFKC').replace(/[^0-9]/g, '')

/** The name of the text that says what is wrong with what was typed, by field; "" where nothing is. */
export function faults(number: string, code: string): { number: '' | 'progress.numberWrong' | 'progress.numberMissing'; code: '' | 'progress.codeWrong' | 'progress.codeMissing' } {
  const [n, c] = [digits(number).length, digits(code).length]
  return {
    number: n === 14 ? '' : number.trim() ? 'progress.numberWrong' : 'progress.numberMissing',
    code: c === 8 ? '' : code.trim() ? 'progress.codeWrong' : 'progress.codeMissing',
  }
}
