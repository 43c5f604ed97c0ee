// Chinese texts of cases that may be the same matter.
export const similar = {
  'similar.some': '疑似重复 {n} 件',
  'similar.none': '没有疑似重复的工单',
  'similar.failed': '暂时查不到疑似重复的工单，继续填写即可',
  'similar.hint': '填写时自动查找近 90 天同一号码、同一地点或内容相似的工单',
  'similar.again': '重复诉求（第 {n} 次）',
} as const
