// One way to ask the server: JSON in and out, CSRF on unsafe methods, and every failure an ApiError that a page can show.
import { ref } from 'vue'
import { locale, t } from '../i18n'
import type { Key } from '../i18n'

/** A request that failed. `status` 0: the server was not reached. `message`: what happened; `hint`: what to do. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint = '',
    readonly fields: Record<string, string> = {},
    readonly body: unknown = null,
  ) {
    super(message)
  }
}

export const csrf = ref('')
let signedOutHandler: () => void = () => undefined

/** `handler` runs whenever the server says that nobody is signed in. */
export function onSignedOut(handler: () => void): void {
  signedOutHandler = handler
}

interface Options {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  query?: Record<string, string | number | boolean | null | undefined>
  keepalive?: boolean
  signal?: AbortSignal
  /** Milliseconds after which an answer is not waited for any longer; as if the server had not been reached. */
  within?: number | undefined
  quiet401?: boolean
}

/** Asks `path` (under /api) and gives the decoded answer, undefined for 204. Throws ApiError. */
export async function api<T>(path: string, options: Options = {}): Promise<T> {
  if (options.within !== undefined) return inTime(options.within, (signal) => api<T>(path, { ...options, within: undefined, signal }))
  const response = await ask(path, options)
  if (response.status === 204) return undefined as T
  return (await response.json().catch((cause: unknown) => (isAbort(cause) ? Promise.reject(cause) : null))) as T
}

const isAbort = (cause: unknown): boolean => cause instanceof DOMException && cause.name === 'AbortError'

async function inTime<T>(ms: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort(), ms)
  try {
    return await ask(giveUp.signal)
  } catch (cause) {
    throw giveUp.signal.aborted ? new ApiError(0, 'network', t('error.network'), t('error.networkHint')) : cause
  } finally {
    clearTimeout(timer)
  }
}

/** Asks `path` for a file (sound, PDF). Throws ApiError. */
export async function file(path: string, options: Options = {}): Promise<Blob> {
  return (await ask(path, options)).blob()
}

async function ask(path: string, options: Options): Promise<Response> {
  const method = options.method ?? 'GET'
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': locale.value === 'zh' ? 'zh-CN' : 'en' }
  const upload = options.body instanceof FormData // the browser names its type itself, with the boundary
  if (options.body !== undefined && !upload) headers['Content-Type'] = 'application/json'
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf.value
  let response: Response
  try {
    response = await fetch(`/api${path}${queryString(options.query)}`, {
      method,
      headers,
      body: options.body === undefined ? undefined : upload ? (options.body as FormData) : JSON.stringify(options.body),
      credentials: 'same-origin',
      keepalive: options.keepalive ?? false,
      signal: options.signal ?? null,
    })
  } catch (cause) {
    if (isAbort(cause)) throw cause
    throw new ApiError(0, 'network', t('error.network'), t('error.networkHint'))
  }
  if (response.ok) return response
  const failure = asError(response, (await response.json().catch(() => null)) as unknown)
  if (failure.status === 401 && failure.code !== 'bad_credentials' && !options.quiet401) signedOutHandler()
  throw failure
}

/** "?a=1&b=2" of what is set; empty values are left out. */
function queryString(query: Options['query']): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== '' && value !== null && value !== undefined)
  return pairs.length ? `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}` : ''
}

/** What the server says of a field stands in both languages, "请填写 (required)"; the reader gets their own. */
export function inOwnWords(text: string): string {
  const both = /^(.*[\u3400-\u9fff].*) \(([^\u3400-\u9fff]+)\)$/s.exec(text)
  return both ? both[locale.value === 'zh' ? 1 : 2]! : text
}

const OWN_WORDS = new Set(['signed_out', 'bad_credentials', 'forbidden', 'not_found'])

function asError(response: Response, body: unknown): ApiError {
  const told = (body as { error?: { code?: string; message?: string; fields?: Record<string, string> } } | null)?.error
  const { status } = response
  let code = told?.code ?? ''
  if (!code) code = { 401: 'signed_out', 403: 'forbidden', 404: 'not_found', 429: 'too_many_attempts', 503: 'busy' }[status] ?? ''
  if (status === 429) {
    const seconds = Number(response.headers.get('Retry-After')) || 60
    return new ApiError(status, code, t('error.too_many_attempts'), t('error.too_many_attemptsHint', { n: seconds }))
  }
  if (status === 503) return new ApiError(status, code, t('error.busy'), t('error.busyHint'))
  if (told?.message) {
    const hint = code === 'bad_credentials' ? t('error.bad_credentialsHint') : ''
    const message = code === 'bad_credentials' ? t('error.bad_credentials') : told.message
    return new ApiError(status, code, message, hint, Object.fromEntries(Object.entries(told.fields ?? {}).map(([field, text]) => [field, inOwnWords(text)])), body)
  }
  if (OWN_WORDS.has(code)) return new ApiError(status, code, t(`error.${code}` as Key), '', {}, body)
  const time = new Date().toLocaleTimeString('zh-CN', { hour12: false })
  return new ApiError(status, code || 'server', t('error.server', { status }), t('error.serverHint', { time }), {}, body)
}

/** Any thrown thing as an ApiError. */
export function toApiError(cause: unknown): ApiError {
  return cause instanceof ApiError ? cause : new ApiError(-1, 'page', String(cause instanceof Error ? cause.message : cause))
}
