// The reply that is open on the page: stored within a second of every change, kept on this computer while the server is away,
// merged with what a colleague wrote meanwhile, and handed in once.
import { onMounted, onUnmounted, shallowRef } from 'vue'
import type { ShallowRef } from 'vue'
import { values } from '../agent/draft/core'
import type { Stored } from '../agent/draft/core'
import { forgetOthers } from '../agent/draft/kept'
import { DraftKeeper } from '../agent/draft/keeper'
import { ApiError, api, toApiError } from '../api/http'
import { pageTimers } from '../realtime/timers'
import { me } from '../session/session'
import { blank, fieldsOf, present, toSend } from './reply'
import type { ReplyFields } from './reply'
import type { Work } from './types'

export type ReplyKeeper = DraftKeeper<ReplyFields>

/** The reply of the present round as the server holds it; version 0 while there is none. */
function stored(work: Work): Stored<ReplyFields> {
  const reply = present(work)
  return { id: work.id, number: work.case.number, version: reply?.version ?? 0, state: work.state, fields: { ...blank(work), ...fieldsOf(reply) } }
}

/** Who came second learns from the assignment what the reply says now: the refusal itself tells of the case alone. */
async function withReply(cause: unknown, id: number): Promise<ApiError> {
  const error = toApiError(cause)
  if (error.code !== 'version_conflict') return error
  const current = stored(await api<Work>(`/assignments/${id}`))
  return new ApiError(error.status, error.code, error.message, error.hint, error.fields, { current, changed_by: null })
}

function openKeeper(first: Work, latest: () => Work | null): ReplyKeeper {
  // A round has a reply of its own: what was kept of an earlier one must not come back in it, nor stay here.
  const mine = `-${me.value?.user.id ?? ''}`
  const owner = `reply-${first.round}${mine}`
  forgetOthers(localStorage, owner, first.id, (other) => other.startsWith('reply-') && other.endsWith(mine))
  const send = async <T>(id: number, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask()
    } catch (cause) {
      throw await withReply(cause, id)
    }
  }
  const keeper: ReplyKeeper = new DraftKeeper<ReplyFields>({
    owner,
    empty: blank(first),
    shelf: localStorage,
    timers: pageTimers,
    now: Date.now,
    save: (id, version, fields, keepalive) =>
      send(id, () => api(`/assignments/${id}/reply`, { method: 'PUT', body: { version, fields: toSend(fields, values(keeper.state.value)) }, keepalive })),
    register: (id, version, fields) =>
      send(id, async () => {
        const body = { version: latest()?.version ?? first.version, reply_version: version, fields: toSend(fields, values(keeper.state.value)) }
        await api(`/assignments/${id}/submit`, { method: 'POST', body })
        return stored(await api<Work>(`/assignments/${id}`))
      }),
  })
  const { number, version, fields, state } = stored(first)
  keeper.open({ case_id: first.id, case_number: number, version, fields }, state)
  return keeper
}

export interface Writing {
  keeper: ShallowRef<ReplyKeeper | null>
  /** The assignment was read again: the reply is opened, brought up to date, or put away. */
  follow(work: Work): void
}

export function useWriting(): Writing {
  const keeper = shallowRef<ReplyKeeper | null>(null)
  let latest: Work | null = null
  let open = ''

  function putAway(): void {
    void keeper.value?.close()
    keeper.value = null
    open = ''
  }

  function follow(work: Work): void {
    latest = work
    const which = work.acts.includes('submitted') ? `${work.id} ${work.round}` : ''
    if (which && which === open) return keeper.value?.refresh(stored(work))
    putAway()
    if (!which) return
    keeper.value = openKeeper(work, () => latest)
    open = which
  }

  const hidden = (): void => {
    if (document.hidden) void keeper.value?.flush(true)
  }
  const back = (): void => keeper.value?.hurry()
  onMounted(() => {
    document.addEventListener('visibilitychange', hidden)
    window.addEventListener('pagehide', hidden)
    window.addEventListener('online', back)
  })
  onUnmounted(() => {
    document.removeEventListener('visibilitychange', hidden)
    window.removeEventListener('pagehide', hidden)
    window.removeEventListener('online', back)
    putAway()
  })

  return { keeper, follow }
}
