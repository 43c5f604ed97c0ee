import { expect, it } from 'vitest'
import { blank, readingTime, toSend, written } from './form'

it('takes words parted by spaces or any comma, and gives an article back as it was', () => {
  const sent = toSend({ ...blank('停水'), keywords: ' 断水，没水、 供水 ', expires_on: '2027-01-01' })
  expect(sent.keywords).toEqual(['断水', '没水', '供水'])
  expect([sent.review_on, sent.expires_on]).toEqual([null, '2027-01-01'])
  expect(toSend(written(sent))).toEqual(sent)
})

it('tells how long the answer takes to read', () => {
  expect([readingTime(''), readingTime('请先 储水。'), readingTime('字'.repeat(90))]).toEqual([0, 2, 20])
})
