// What an agent says and never says, as the city's hotline rules have it (篇6; forbidden ones also 篇4).
// The server's own list replaces this one where the administrator has made one.
import { shallowRef } from 'vue'
import { api } from '../api/http'

export interface Phrases {
  greeting: Record<string, string>
  phrases: { id: string; text: string }[]
  forbidden: string[]
}

const BUILT_IN: Phrases = {
  greeting: {
    zh: '您好，12345 热线，工号 {id} 为您服务，您有什么事？',
    yue: '您好，12345 热线，工号 {id} 為您服務，有咩可以幫到您？',
    en: 'Hello, this is the 12345 hotline, agent {id}. How may I help you?',
  },
  phrases: [
    { id: 'listen', text: '您慢慢说，我在记录。' },
    { id: 'repeat', text: '我把您反映的内容复述一遍，您听听对不对。' },
    { id: 'hold', text: '我查一下，您稍等，不要挂机。' },
    { id: 'transfer', text: '这件事由专门单位办理，我现在为您转接，转接中不会断线。' },
    { id: 'number', text: '您的工单编号是……，凭编号可以随时来电查询进度。' },
    { id: 'close', text: '您还有别的事吗？感谢来电，再见。' },
  ],
  forbidden: [
    '快点说',
    '再说一遍',
    '你说的事我们解决不了',
    '这种事我们管不了',
    '随便你找哪里投诉都可以',
    '不解决再来电话',
    '你提的建议太肤浅',
    '我们会处理',
    '好了好了就这样了',
    '讲短点',
    '你不要骂人',
    '什么态度',
    '大概其',
    '应该是吧',
    '问我姓氏没有用',
  ],
}

export const phrases = shallowRef<Phrases>(BUILT_IN)
let asked = false

export async function loadPhrases(): Promise<void> {
  if (asked) return
  asked = true
  const own = await api<Phrases>('/phrases').catch(() => null)
  if (own?.greeting && own.phrases && own.forbidden) phrases.value = own
}
