import { afterEach, expect, test, vi } from 'vitest'
import { locale } from '../i18n'
import { api, inOwnWords } from './http'

afterEach(() => {
  locale.value = 'zh'
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('what the server says of a field in both languages is read in one', () => {
  expect(inOwnWords('缺少办理结果 (the result is missing)')).toBe('缺少办理结果')
  expect(inOwnWords('事项未答复：路灯 (3 号) 不亮 (this item is not answered)')).toBe('事项未答复：路灯 (3 号) 不亮')
  expect(inOwnWords('只有一种语言')).toBe('只有一种语言')
  expect(inOwnWords('名称（全称）')).toBe('名称（全称）')
  locale.value = 'en'
  expect(inOwnWords('缺少办理结果 (the result is missing)')).toBe('the result is missing')
})

test('an answer that does not come is as no network, and an answer in time is an answer', async () => {
  vi.useFakeTimers()
  const never = (_: string, { signal }: { signal: AbortSignal }): Promise<Response> =>
    new Promise((_, fail) => signal.addEventListener('abort', () => fail(new DOMException('gone', 'AbortError'))))
  vi.stubGlobal('fetch', never)
  const asked = api('/cases/1', { within: 8000 }).catch((error: { status: number; code: string }) => [error.status, error.code])
  await vi.advanceTimersByTimeAsync(8000)
  expect(await asked).toEqual([0, 'network'])
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"version": 2}')))
  expect(await api('/cases/1', { within: 8000 })).toEqual({ version: 2 })
})
