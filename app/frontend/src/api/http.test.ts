import { afterEach, expect, test } from 'vitest'
import { locale } from '../i18n'
import { inOwnWords } from './http'

afterEach(() => void (locale.value = 'zh'))

test('what the server says of a field in both languages is read in one', () => {
  expect(inOwnWords('缺少办理结果 (the result is missing)')).toBe('缺少办理结果')
  expect(inOwnWords('事项未答复：路灯 (3 号) 不亮 (this item is not answered)')).toBe('事项未答复：路灯 (3 号) 不亮')
  expect(inOwnWords('只有一种语言')).toBe('只有一种语言')
  expect(inOwnWords('名称（全称）')).toBe('名称（全称）')
  locale.value = 'en'
  expect(inOwnWords('缺少办理结果 (the result is missing)')).toBe('the result is missing')
})
