// A form into which templates are put: which is being chosen, what was put last, and how it is taken out again.
import { ref, shallowRef } from 'vue'
import type { Ref } from 'vue'
import { t, word } from '../i18n'
import { toast } from '../notify/toast'
import { put as putInto, remember, undone } from './templates'
import type { Offer, Put } from './templates'

export interface Templates {
  picking: Ref<boolean>
  /** What was put in last, as long as it can be taken out again. */
  put: Ref<{ before: Record<string, string>; done: Put } | null>
  take(offer: Offer): void
  undo(): void
}

/** `most`: the longest texts of the fields; `source`: the field that keeps where words came from, "" for none. */
export function useTemplates(fields: () => Record<string, string>, edit: (name: string, text: string) => void, most: Record<string, number>, source = 'template_source'): Templates {
  const picking = ref(false)
  const put = shallowRef<{ before: Record<string, string>; done: Put } | null>(null)

  function write(changed: Record<string, string>): void {
    for (const [name, text] of Object.entries(changed)) edit(name, text)
  }

  function take(offer: Offer): void {
    picking.value = false
    const before = { ...fields() }
    const done = putInto(before, offer, most, source)
    if (done.full) return void toast(t('templates.full', { field: word('templates.part', done.full) }), 'trouble', 9000)
    remember(offer)
    write(done.fields)
    put.value = { before, done }
    toast(t('templates.taken', { name: offer.title, n: offer.version }), 'ready')
  }

  function undo(): void {
    if (!put.value) return
    write(undone(fields(), put.value.before, put.value.done))
    put.value = null
    toast(t('templates.undone'))
  }

  return { picking, put, take, undo }
}
